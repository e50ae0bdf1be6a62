#include "reports/page/html_overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "reports/charts/report_charts.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/pair_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

// ---- at a glance -------------------------------------------------------------------------------

std::string card(std::string_view name, std::string_view value, std::string_view note) {
    return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", html_text(name),
                       html_text(value), html_text(note));
}

std::string states_card(const ExperimentReport& report) {
    const auto count = [&](storage::RunState state) {
        return std::ranges::count(report.runs, state,
                                  [](const RunFigures& run) { return run.run.state; });
    };
    std::string note;
    for (const auto state : {storage::RunState::running, storage::RunState::queued,
                             storage::RunState::interrupted, storage::RunState::failed}) {
        if (count(state) == 0) continue;
        note += fmt::format("{}{} {}", note.empty() ? "" : ", ", count(state),
                            storage::to_string(state));
    }
    return card("Runs finished",
                fmt::format("{} of {}", count(storage::RunState::finished), report.runs.size()),
                note.empty() ? "all of them" : note);
}

std::string best_card(const ExperimentReport& report) {
    if (report.entries.empty()) return {};
    const ArchitectureFigures& best = report.entries.front();
    if (best.test_accuracy.estimate.count == 0) return card("Best test accuracy", kNoFigure, "");
    return card("Best test accuracy", mean_text(best.test_accuracy.estimate),
                best.name + (best.selected_on_test_set ? ", selected on the test set" : ""));
}

std::string time_card(const ExperimentReport& report) {
    double seconds = 0.0;
    std::size_t epochs = 0;
    for (const RunFigures& run : report.runs) {
        seconds += run.seconds;
        epochs += run.epochs.size();
    }
    return card("Time of all epochs", duration_text(seconds),
                fmt::format("{} epochs", thousands(static_cast<std::int64_t>(epochs))));
}

std::string printed_card(const ExperimentReport& report) {
    int compared = 0;
    int covered = 0;
    int over_seeds = 0;
    for (const ArchitectureFigures& entry : report.entries) {
        if (!entry.printed || !entry.printed->is_covered) continue;
        ++compared;
        covered += *entry.printed->is_covered ? 1 : 0;
        over_seeds += entry.printed->ours.kind == IntervalKind::over_seeds ? 1 : 0;
    }
    if (compared == 0) return {};
    return card("Printed figures covered", fmt::format("{} of {}", covered, compared),
                fmt::format("by our 95 % intervals: {} over seeds, {} of one run", over_seeds,
                            compared - over_seeds));
}

// What has to be known to read accuracies on common axes.
std::string other_test_sets(const ExperimentReport& report) {
    std::string names;
    const TestSetTexts text_of = test_set_texts(report.entries);
    for (const ArchitectureFigures& entry : report.entries) {
        if (entry.test_set == report.entries.front().test_set) continue;
        names += fmt::format("{}{} ({})", names.empty() ? "" : "; ", html_text(entry.name),
                             html_text(text_of(entry.test_set)));
    }
    if (names.empty() || report.entries.size() > kComparedArchitectures) return {};
    return "<p class=\"note\">Tested on other images, so their accuracies do not compare with the "
           "others’: " +
           names + ".</p>\n";
}

// ---- pairs -------------------------------------------------------------------------------------

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
    if (!pair.over_seeds || !pair.over_seeds->difference.interval) return kNoFigure;
    const Interval& interval = *pair.over_seeds->difference.interval;
    return signed_text(interval.low) + " to " + signed_text(interval.high);
}

std::string images_cell(const PairComparison& pair) {
    if (!pair.on_images || pair.is_over_seeds) return kNoFigure;
    return fmt::format("{} / {}", thousands(pair.on_images->only_first),
                       thousands(pair.on_images->only_second));
}

HtmlTable pairs_table(const ExperimentReport& report) {
    HtmlTable table("Test accuracy in pairs", HtmlTable::Width::page);
    using Column = HtmlTable::Column;
    table.text_column("first and second")
        .text_column("verdict")
        .number_column("second − first")
        .number_column("95 % interval over seeds", Column::where_filled)
        .number_column("right only first / only second", Column::where_filled)
        .number_column("p after Holm")
        .number_column("p")
        .text_column("test")
        .text_column("selected on the test set", Column::where_filled);
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set) continue;
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

// ---- curves ------------------------------------------------------------------------------------

std::string curves_note(const ExperimentReport& report, const std::vector<Plot>& plots) {
    const bool has_seeds = std::ranges::any_of(
        report.entries, [](const ArchitectureFigures& entry) { return entry.runs.size() > 1; });
    if (!has_seeds) return "One line an architecture, of one run: other seeds would differ.";
    std::string text =
        "Lines are means over the seeds of an architecture; bands reach from the lowest seed to "
        "the "
        "highest. They are no confidence intervals.";
    const bool has_thin = std::ranges::any_of(plots, [](const Plot& plot) {
        return std::ranges::find(plot.series, LineStyle::thin, &PlotSeries::style) !=
               plot.series.end();
    });
    if (has_thin) {
        text +=
            " A line goes on thin where some of its seeds have ended, by early stopping or "
            "otherwise: from there it is the mean of those left.";
    }
    return text;
}

// ---- time to accuracy --------------------------------------------------------------------------

// Round accuracies that some run reached and not all ran past at once.
std::vector<double> thresholds(const std::vector<RunFigures>& runs) {
    double highest = 0.0;
    for (const RunFigures& run : runs) {
        highest = std::max(highest, run.val_accuracy.best.value_or(0.0));
    }
    std::vector<double> shown;
    for (const double step : {0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}) {
        if (step <= highest && shown.size() < 4) shown.insert(shown.begin(), step);
    }
    return shown;
}

}  // namespace

std::string html_glance(const ExperimentReport& report) {
    return "<dl class=\"glance\">" + states_card(report) + best_card(report) + time_card(report) +
           printed_card(report) + "</dl>\n";
}

std::string html_pairs(const ExperimentReport& report) {
    if (report.pairs.empty()) return {};
    const std::string table = pairs_table(report).markup();
    if (table.empty()) return {};
    const auto tested = std::ranges::count_if(
        report.pairs, [](const PairComparison& pair) { return pair.p_value.has_value(); });
    return "<h2 id=\"pairs\">Which differences are real?</h2>\n" +
           fmt::format(
               "<p>Each pair is tested over the seeds both share (paired t) where there are two or "
               "more and their differences are not all equal, else by McNemar’s exact test on the "
               "same test images, one training each; no difference with any shared seed is a tie. "
               "McNemar’s test says whether these two networks differ, not whether their "
               "architectures would with other seeds. Holm’s correction is over the {} pairs "
               "tested; a corrected p of {} or more is called not distinguishable.</p>\n",
               tested, kSignificance) +
           table + other_test_sets(report) +
           (report.entries.size() > kComparedArchitectures
                ? fmt::format("<p class=\"note\">The first {} of {} architectures.</p>\n",
                              kComparedArchitectures, report.entries.size())
                : "");
}

std::string html_curves(const ExperimentReport& report, HtmlPage& page) {
    const std::vector<Plot> plots = learning_curves(report);
    std::string markup = "<h2 id=\"curves\">Learning curves</h2>\n";
    if (plots.empty()) return markup + "<p>No epoch has been finished yet.</p>\n";
    markup += page.charts(plots) + html_note(curves_note(report, plots)) + other_test_sets(report);
    for (const Plot& plot : plots) markup += html_values(plot);
    return markup;
}

std::string html_time_to_accuracy(const ExperimentReport& report, HtmlPage& page) {
    const Plot plot = accuracy_over_time(report);
    if (!plot.has_values()) return {};
    const std::vector<double> levels = thresholds(report.runs);
    HtmlTable table("Time until the validation accuracy first reached a level");
    table.text_column("run");
    for (const double level : levels) table.number_column(fmt::format("{:.2f}", level));
    for (const DetailedRun& detailed : report.detailed) {
        const RunFigures& run = report.runs[detailed.run];
        if (!run.val_accuracy.best) continue;
        table.row(html_text(run.run.name));
        for (const double level : levels) {
            const auto seconds = seconds_to_accuracy(run, level);
            table.number(seconds ? duration_text(*seconds) : "not reached");
        }
    }
    return "<h2 id=\"time\">Time to accuracy</h2>\n<div class=\"pair\">" + page.charts({plot}) +
           table.markup() + "</div>\n" +
           html_note(
               "One line an architecture: its first run, no mean over seeds; the table has every "
               "run "
               "that is shown in full. Runs without validation have no place here. Times compare "
               "only where host and ranks are the same.");
}

std::string html_costs(const ExperimentReport& report, HtmlPage& page) {
    const std::vector<Plot> plots = accuracy_against_cost(report);
    if (plots.empty()) return {};
    return "<h2 id=\"costs\">Accuracy against cost</h2>\n" + page.charts(plots) +
           other_test_sets(report) +
           "<p class=\"note\">Bars are the 95 % intervals of the <a "
           "href=\"#leaderboard\">leaderboard</a>, which has the figures; a point without one has "
           "no interval there. Costs are on logarithmic axes.</p>\n";
}

std::string html_samples(const ExperimentReport& report, HtmlPage& page) {
    std::set<TestSet> shown;
    const TestSetTexts text_of = test_set_texts(report.entries);
    std::string markup;
    for (const DetailedRun& detailed : report.detailed) {
        if (!detailed.predictions || detailed.predictions->first.empty()) continue;
        const TestSet& test_set = report.runs[detailed.run].test_set;
        if (!shown.insert(test_set).second) continue;
        markup += fmt::format("<h3 class=\"plain\">{}</h3><ul class=\"tiles\">",
                              html_text(text_of(test_set)));
        for (const ShownPrediction& one : detailed.predictions->first) {
            const std::string& name =
                detailed.predictions->class_names[static_cast<std::size_t>(one.label)];
            markup += fmt::format("<li>{}{}</li>", page.picture(detailed.sheet, *one.image, name),
                                  html_text(name));
        }
        markup += "</ul>\n";
    }
    return markup.empty() ? "" : "<h2 id=\"samples\">Sample images</h2>\n" + markup;
}

}  // namespace lockstep::reports
