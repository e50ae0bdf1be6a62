// Which differences are real: architectures in pairs.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

std::string seeds_cell(const PairComparison& pair) {
    if (pair.pooled) {
        return signed_text(pair.pooled->interval.low) + " to " +
               signed_text(pair.pooled->interval.high);
    }
    if (!pair.over_seeds || !pair.over_seeds->difference.interval) return kNoFigure;
    const Interval& interval = *pair.over_seeds->difference.interval;
    return signed_text(interval.low) + " to " + signed_text(interval.high);
}

std::string images_cell(const PairComparison& pair) {
    if (!pair.on_images || pair.is_over_seeds) return kNoFigure;
    return fmt::format("{} / {}", thousands(pair.on_images->only_first),
                       thousands(pair.on_images->only_second));
}

HtmlTable pairs_table(const ExperimentReport& report, std::string_view caption,
                      const Wanted& is_wanted) {
    HtmlTable table(caption, HtmlTable::Width::page);
    using Column = HtmlTable::Column;
    table.css("pairs")
        .text_column("first and second")
        .text_column("verdict")
        .number_column("second − first")
        .number_column("95 % interval over seeds", Column::where_filled)
        .number_column("right only first / only second", Column::where_filled)
        .number_column("p after Holm")
        .number_column("p")
        .text_column("test")
        .text_column("selected on the test set", Column::where_filled);
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set || !is_wanted(pair)) continue;
        const bool is_compared = pair.p_value.has_value();
        table.row(html_text(pair.first) + "<br>" + html_text(pair.second))
            .html(verdict_cell(pair))
            .number(is_compared ? signed_text(pair.difference) : kNoFigure)
            .number(seeds_cell(pair))
            .number(images_cell(pair))
            .number(is_compared ? p_value_text(*pair.adjusted_p_value) : kNoFigure)
            .number(is_compared ? p_value_text(*pair.p_value) : kNoFigure)
            .text(is_compared ? test_text(pair) : kNoFigure)
            .html(selected_cell(pair));
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

std::string seeds_alone_text() {
    return "Each pair is tested over the seeds both share (paired t) where there are two or more "
           "and their differences are not all equal, else by McNemar’s exact test on the same "
           "test images, one training each; no difference with any shared seed is a tie. McNemar’s "
           "test says whether these two networks differ, not whether their architectures would "
           "with other seeds. ";
}

// How the pairs were tested, of which kinds there are.
std::string method_text(const ExperimentReport& report) {
    std::ptrdiff_t pooled = 0;
    std::ptrdiff_t others = 0;
    bool has_untold = false;
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set) continue;
        pooled += pair.pooled ? 1 : 0;
        others += !pair.pooled && pair.p_value ? 1 : 0;
        has_untold = has_untold || !pair.pooled;
    }
    std::string text;
    if (pooled > 0) {
        text +=
            "Every architecture has two seeds or more, so each pair is tested by a t test with "
            "the seed noise of all of them together, as above: few seeds of its own tell a pair "
            "little of their scatter. It supposes that seeds scatter alike everywhere. Holm’s "
            "correction is over all pairs of a test set. ";
    }
    if (has_untold) {
        text += (pooled > 0 ? "On other test sets: e" + seeds_alone_text().substr(1)
                            : seeds_alone_text()) +
                fmt::format("Holm’s correction is over the {} pairs tested so. ", others);
    }
    return text +
           fmt::format("A corrected p of {} or more is called not distinguishable.", kSignificance);
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
