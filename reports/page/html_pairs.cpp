// Which differences are real: architectures in pairs.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reports/page/html_elements.hpp"
#include "reports/page/html_overview.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/pair_text.hpp"

namespace lockstep::reports {
namespace {

// Of more pairs only those of the first architecture stand open: all pairs of five.
constexpr std::ptrdiff_t kOpenPairs = 10;

// Some pair is one of several that were tested.
bool is_corrected(const ExperimentReport& report) {
    return std::ranges::any_of(report.tests, [](const PairTest& test) { return test.family > 1; });
}

using Wanted = std::function<bool(const PairComparison&)>;

std::string verdict_cell(const PairComparison& pair) {
    const bool is_clear =
        pair.verdict == Verdict::first_is_better || pair.verdict == Verdict::second_is_better;
    return fmt::format("<span class=\"{}\">{}</span>", is_clear ? "good" : "soft",
                       html_text(verdict_text(pair)));
}

std::string selected_cell(const PairComparison& pair) {
    const std::string selected = selected_text(pair);
    return selected.empty() ? kNoFigure : html_badge(selected, Tone::warning);
}

std::string interval_cell(const PairComparison& pair) {
    if (!pair.test) return kNoFigure;
    return signed_text(pair.test->welch.interval.low) + " to " +
           signed_text(pair.test->welch.interval.high);
}

std::string images_cell(const PairComparison& pair) {
    if (!pair.on_images) return kNoFigure;
    return fmt::format("{} / {}", thousands(pair.on_images->only_first),
                       thousands(pair.on_images->only_second));
}

std::string p_cell(std::optional<double> p) { return p ? p_value_text(*p) : kNoFigure; }

HtmlTable pairs_table(const ExperimentReport& report, std::string_view caption,
                      const Wanted& is_wanted) {
    HtmlTable table(caption, HtmlTable::Width::page);
    using Column = HtmlTable::Column;
    table.css("pairs")
        .text_column("first and second")
        .text_column("verdict")
        .number_column("first − second")
        .number_column("95 % interval", Column::where_filled)
        .number_column("right only first / only second", Column::where_filled);
    if (is_corrected(report)) table.number_column("p, corrected", Column::where_filled);
    table.number_column("p").text_column("test").text_column("selected on the test set",
                                                             Column::where_filled);
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set || !is_wanted(pair)) continue;
        const auto p = p_value(pair);
        table.row(html_text(pair.first) + "<br>" + html_text(pair.second))
            .html(verdict_cell(pair))
            .number(p ? signed_text(pair.difference) : kNoFigure)
            .number(interval_cell(pair))
            .number(images_cell(pair));
        if (is_corrected(report)) table.number(p_cell(adjusted_p_value(pair)));
        table.number(p_cell(p)).text(p ? test_text(pair) : kNoFigure).html(selected_cell(pair));
    }
    return table;
}

// Those of the first architecture of a test set, and behind a line to open all others.
std::string tables(const ExperimentReport& report) {
    const auto all = std::ranges::count_if(report.pairs, &PairComparison::has_one_test_set);
    if (all <= kOpenPairs) {
        return pairs_table(report, "Test accuracy in pairs", [](const auto&) { return true; })
            .markup();
    }
    std::set<TestSet> known;
    std::set<std::string> firsts;
    for (const ArchitectureFigures& entry : report.entries) {
        if (known.insert(entry.test_set).second) firsts.insert(entry.name);
    }
    const auto is_of_first = [&](const PairComparison& pair) {
        return firsts.contains(pair.first) || firsts.contains(pair.second);
    };
    const auto is_other = [&](const PairComparison& pair) { return !is_of_first(pair); };
    const auto open = std::ranges::count_if(report.pairs, [&](const PairComparison& pair) {
        return pair.has_one_test_set && is_of_first(pair);
    });
    return pairs_table(report, "Test accuracy in pairs: the best one and each other", is_of_first)
               .markup() +
           html_details(
               fmt::format("The other {} pairs", all - open),
               pairs_table(report, "Test accuracy in pairs: the others", is_other).markup());
}

// How the pairs were tested, of which kinds there are.
std::string method_text(const ExperimentReport& report) {
    std::string text;
    if (!report.tests.empty()) {
        text =
            "Each pair is decided by Welch’s t test over the seeds of the two: by how far their "
            "means lie apart, against the scatter of their own seeds. The interval is that of the "
            "difference. ";
        if (is_corrected(report)) {
            text +=
                "Of many pairs some differ by chance, so p is corrected (Holm) for all pairs of "
                "the experiment, also where a page shows a part of them. ";
        }
        text += fmt::format("From p {} on a pair is not distinguishable. ", kSignificance);
    }
    const bool has_images = std::ranges::any_of(
        report.pairs, [](const PairComparison& pair) { return pair.on_images.has_value(); });
    if (has_images) {
        text +=
            "Where one seed stands against others nothing decides; McNemar’s p tells how likely "
            "two equally good networks differ so on these images, and nothing of other seeds. ";
    }
    return text;
}

}  // namespace

std::string html_pairs(const ExperimentReport& report) {
    if (report.pairs.empty()) return {};
    const std::string markup = tables(report);
    if (markup.empty()) return {};
    return "<h2 id=\"pairs\">Which differences are real?</h2>\n<p>" + method_text(report) +
           "</p>\n" + markup + html_other_test_sets(report) +
           (report.entries.size() > kComparedArchitectures
                ? fmt::format("<p class=\"note\">The first {} of {} architectures.</p>\n",
                              kComparedArchitectures, report.entries.size())
                : "");
}

}  // namespace lockstep::reports
