// The table of all runs with their settings, which the page's script sorts and filters.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reports/figures/selection.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_settings.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

// Of the columns that are no settings.
constexpr const char* kTitles[] = {"run",  "test accuracy", "val. accuracy", "experiment",
                                   "seed", "test loss",     "epochs",        "state"};

// Its short name, unless a column of results has that one.
const std::string& title_of(const SettingName& setting) {
    return std::ranges::find(kTitles, setting.name) == std::end(kTitles) ? setting.name
                                                                         : setting.key;
}

// The settings in the table: swept ones first.
std::vector<const SweptSetting*> columns_of(const Sweep& sweep) {
    std::vector<const SweptSetting*> columns;
    for (const auto* settings : {&sweep.settings, &sweep.others}) {
        for (const SweptSetting& each : *settings) {
            if (columns.size() < kSweepColumns) columns.push_back(&each);
        }
    }
    return columns;
}

bool is_number(const storage::Cell& cell) {
    return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

// All runs, those of the leaderboard's first entry first; repeats at the end.
std::vector<std::size_t> in_order(const ExperimentReport& report) {
    std::vector<std::size_t> order;
    std::vector<std::size_t> repeats;
    for (const ArchitectureFigures& entry : report.entries) {
        order.insert(order.end(), entry.runs.begin(), entry.runs.end());
        for (const RepeatedRun& repeat : entry.repeats) repeats.push_back(repeat.run);
    }
    order.insert(order.end(), repeats.begin(), repeats.end());
    return order;
}

// What a script sorts by, behind what is shown.
std::string sortable(double value, const std::string& text) {
    if (!std::isfinite(value)) return html_text(text);
    return fmt::format("<data value=\"{}\">{}</data>", value, html_text(text));
}

void add_figure(HtmlTable& table, std::optional<double> value) {
    table.number_html(value ? sortable(*value, figure_text(*value)) : kNoFigure);
}

std::string run_cell(const ExperimentReport& report, std::size_t place) {
    const RunFigures& run = report.runs[place];
    const bool is_detailed =
        std::ranges::find(report.detailed, place, &DetailedRun::run) != report.detailed.end();
    const std::string name = html_text(run.run.name);
    return fmt::format(
        "<span data-run=\"{}\">{}</span>", place,
        is_detailed ? fmt::format("<a href=\"#{}\">{}</a>", anchor_of(run.run.run), name) : name);
}

std::string state_cell(const RunFigures& run) {
    const storage::RunState state = run.run.state;
    std::string cell =
        fmt::format("<data value=\"{}\">{}</data>", storage::to_string(state), html_state(state));
    if (run.is_finished()) return cell;
    return cell + fmt::format("<small>epoch {} of {}</small>", run.epochs.size(), run.run.epochs);
}

void add_setting(HtmlTable& table, const storage::Cell& value) {
    const std::string text = html_text(value_text(value));
    if (is_number(value)) {
        table.number_html(fmt::format("<data value=\"{0}\">{0}</data>", text));
    } else if (std::holds_alternative<std::monostate>(value)) {
        table.number_html(kNoFigure);
    } else {
        table.html(text);
    }
}

bool has_several_experiments(const ExperimentReport& report) {
    std::set<std::string_view> names;
    for (const RunFigures& run : report.runs) names.insert(run.run.experiment);
    return names.size() > 1;
}

HtmlTable runs_table(const ExperimentReport& report, std::span<const SweptSetting* const> columns) {
    const bool has_several = has_several_experiments(report);
    HtmlTable table("Runs, in the order of the leaderboard", HtmlTable::Width::page);
    table.css("runs")
        .text_column("run")
        .number_column("test accuracy")
        .number_column("val. accuracy");
    for (const SweptSetting* column : columns) {
        const bool is_numeric = std::ranges::none_of(column->values, [](const auto& value) {
            return std::holds_alternative<std::string>(value);
        });
        const std::string& title = title_of(column->name);
        is_numeric ? table.number_column(title) : table.text_column(title);
    }
    if (has_several) table.text_column("experiment");
    for (const char* title : {"seed", "test loss", "epochs"}) {
        table.number_column(title);
    }
    table.text_column("state");
    std::size_t rows = 0;
    for (const std::size_t place : in_order(report)) {
        if (rows++ == kSweepRows) break;
        const RunFigures& run = report.runs[place];
        table.row(run_cell(report, place));
        add_figure(table, run.test_accuracy);
        add_figure(table, own_val_accuracy(run));
        for (const SweptSetting* column : columns) add_setting(table, column->values[place]);
        if (has_several) table.text(run.run.experiment);
        table.number_html(fmt::format("<data value=\"{0}\">{0}</data>", run.run.seed));
        add_figure(table, run.test_loss);
        table.number_html(fmt::format("<data value=\"{0}\">{0}</data>", run.epochs.size()))
            .html(state_cell(run));
    }
    return table;
}

// As many settings as there is room for.
struct FittingTable {
    HtmlTable table;
    std::size_t settings = 0;
};

FittingTable fitting_table(const ExperimentReport& report, const Sweep& sweep) {
    const std::vector<const SweptSetting*> columns = columns_of(sweep);
    for (std::size_t count = columns.size();; --count) {
        HtmlTable table = runs_table(report, std::span(columns).first(count));
        if (count == 0 || table.fits()) return {std::move(table), count};
    }
}

std::string left_out(const ExperimentReport& report, const Sweep& sweep, std::size_t shown) {
    std::string text;
    if (report.runs.size() > kSweepRows) {
        text += fmt::format("The first {} of {} runs; report.csv has every run. ", kSweepRows,
                            report.runs.size());
    }
    const std::size_t settings = sweep.settings.size() + sweep.others.size();
    if (settings > shown) {
        text +=
            fmt::format("The first {} of {} settings; report.csv has every one. ", shown, settings);
    }
    return text;
}

}  // namespace

std::string html_sweep_runs(const ExperimentReport& report, const Sweep& sweep) {
    const FittingTable fitting = fitting_table(report, sweep);
    return "<h3 class=\"plain\" id=\"sweep-runs\">All runs</h3>\n<p class=\"note\">" +
           left_out(report, sweep, fitting.settings) +
           "Validation accuracy is that of the weights that were tested, on images that are not "
           "tested; none where the test set validates.</p>\n<div class=\"sortable\">" +
           fitting.table.markup() + "</div>\n";
}

}  // namespace lockstep::reports
