// Settings of networks that differ in more than one thing: what tells each apart, and what all
// share (html_settings.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "reports/figures/shared_settings.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_settings.hpp"
#include "reports/tables/architecture_settings.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

bool has_text(const storage::Table& table, std::size_t column) {
    return std::ranges::any_of(table.rows, [&](const std::vector<Cell>& row) {
        return std::holds_alternative<std::string>(row[column]);
    });
}

// "3 conv2d, flatten": a count stays with what it counts.
std::string list_html(std::string_view text) {
    std::string html;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(", "), text.size());
        html += fmt::format("<span class=\"unbroken\">{}{}</span>", html_text(text.substr(0, end)),
                            end < text.size() ? "," : "");
        text.remove_prefix(std::min(end + 2, text.size()));
        if (!text.empty()) html += ' ';
    }
    return html;
}
void add_text(HtmlTable& table, const std::string& text) {
    const bool is_list = text.find(", ") != std::string::npos && !text.starts_with('{');
    is_list ? table.html(list_html(text)) : table.text(text);
}

// The first so many columns.
HtmlTable markup_of(const storage::Table& table, std::size_t columns) {
    HtmlTable result("What tells the architectures apart", HtmlTable::Width::page);
    result.css("architectures").text_column(table.columns[0]);
    for (std::size_t i = 1; i < columns; ++i)
        has_text(table, i) ? result.text_column(table.columns[i])
                           : result.number_column(table.columns[i]);
    for (std::size_t i = 0; i < std::min(table.rows.size(), kSweepRows); ++i) {
        const std::vector<Cell>& row = table.rows[i];
        result.row(html_text(value_text(row[0])));
        for (const Cell& cell : std::span(row).first(columns).subspan(1)) {
            if (std::holds_alternative<std::monostate>(cell))
                result.html(kNoFigure);
            else if (std::holds_alternative<std::string>(cell))
                add_text(result, std::get<std::string>(cell));
            else
                result.number(value_text(cell));
        }
    }
    return result;
}

std::string facts_of(const std::vector<ConfigValue>& settings) {
    if (settings.empty()) return {};
    std::vector<HtmlFact> facts;
    for (const ConfigValue& each : settings)
        facts.push_back({each.key, html_text(text_in(each.value))});
    return html_facts(facts);
}

}  // namespace

std::string html_architecture_settings(const ExperimentReport& report, const Sweep& sweep) {
    const storage::Table table = architecture_settings(report, sweep);
    const std::size_t all = std::min(table.columns.size(), kSweepColumns + 1);
    std::size_t columns = all;
    while (columns > 1 && !markup_of(table, columns).fits()) --columns;
    std::string note;
    if (columns < table.columns.size())
        note = html_note(fmt::format("The first {} of {} settings; report.csv has every one.",
                                     columns - 1, table.columns.size() - 1));
    return markup_of(table, columns).markup() + note;
}

std::string html_shared_settings(const ExperimentReport& report) {
    const SharedSettings shared = shared_settings(report.runs);
    if (shared.written.empty() && shared.defaults.empty()) return {};
    const std::size_t count = shared.defaults.size();
    return "<h3 class=\"plain\" id=\"shared\">What all runs share</h3>\n" +
           facts_of(shared.written) +
           html_details(fmt::format("{} further setting{} at the default in all runs", count,
                                    count == 1 ? "" : "s"),
                        facts_of(shared.defaults));
}

}  // namespace lockstep::reports
