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
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

// ---- at a glance -------------------------------------------------------------------------------

std::string card(std::string_view name, std::string_view value, std::string_view note) {
    return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", html_text(name),
                       html_text(value), html_text(note));
}

std::string states_card(const ExperimentReport& report) {
    const std::vector<std::size_t> trainings = places_of_trainings(report.entries);
    const auto count = [&](storage::RunState state) {
        return std::ranges::count(trainings, state,
                                  [&](std::size_t run) { return report.runs[run].run.state; });
    };
    std::string note;
    for (const auto state : {storage::RunState::running, storage::RunState::queued,
                             storage::RunState::interrupted, storage::RunState::failed}) {
        if (count(state) == 0) continue;
        note += fmt::format("{}{} {}", note.empty() ? "" : ", ", count(state),
                            storage::to_string(state));
    }
    return card("Runs finished",
                fmt::format("{} of {}", count(storage::RunState::finished), trainings.size()),
                note.empty() ? "all of them" : note);
}

std::string time_card(const ExperimentReport& report) {
    double seconds = 0.0;
    std::size_t epochs = 0;
    for (const std::size_t run : places_of_trainings(report.entries)) {
        seconds += report.runs[run].seconds;
        epochs += report.runs[run].epochs.size();
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

// Round accuracies that some run reached: the highest four.
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

std::string html_other_test_sets(const ExperimentReport& report) {
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

std::string html_glance(const ExperimentReport& report) {
    return "<dl class=\"glance\">" + states_card(report) + time_card(report) +
           printed_card(report) + "</dl>\n";
}

std::string html_curves(const ExperimentReport& report, const EntryLabels& labels, HtmlPage& page) {
    const std::vector<Plot> plots = learning_curves(report, labels.labels);
    std::string markup = "<h2 id=\"curves\">Learning curves</h2>\n";
    if (plots.empty()) return markup + "<p>No epoch has been finished yet.</p>\n";
    markup +=
        page.charts(plots) +
        html_note(labels.note + (labels.note.empty() ? "" : " ") + curves_note(report, plots)) +
        html_other_test_sets(report);
    for (const Plot& plot : plots) markup += html_values(plot);
    return markup;
}

std::string html_time_to_accuracy(const ExperimentReport& report, const EntryLabels& labels,
                                  HtmlPage& page) {
    const Plot plot = accuracy_over_time(report, labels.labels);
    if (!plot.has_values()) return {};
    const std::vector<double> levels = thresholds(report.runs);
    HtmlTable table("Time until the validation accuracy first reached a level");
    table.text_column("run");
    for (const double level : levels) table.number_column(fmt::format("{:.2f}", level));
    bool is_disturbed = false;
    for (const DetailedRun& detailed : report.detailed) {
        const RunFigures& run = report.runs[detailed.run];
        if (!run.val_accuracy.best) continue;
        table.row(html_text(run.run.name) +
                  (run.stopped_seconds > 0 ? " <small>disturbed</small>" : ""));
        is_disturbed = is_disturbed || run.stopped_seconds > 0;
        for (const double level : levels) {
            const auto seconds = seconds_to_accuracy(run, level);
            if (seconds)
                table.number(duration_text(*seconds));
            else
                table.number_html("not reached", "wrap");
        }
    }
    constexpr std::size_t kBeside = 8;  // rows of a table that stands beside the chart
    const char* css = report.detailed.size() > kBeside ? "" : "pair";
    return fmt::format("<h2 id=\"time\">Time to accuracy</h2>\n<div class=\"{}\">", css) +
           page.charts({plot}) + table.markup() + "</div>\n" +
           html_note(
               labels.note + (labels.note.empty() ? "" : " ") +
               "One line an architecture: its first run, no mean over seeds; the table has every "
               "run "
               "that is shown in full. Runs without validation have no place here. Times compare "
               "only where host and ranks are the same." +
               (is_disturbed ? " Of disturbed runs a rank stood still meanwhile: their times tell "
                               "nothing."
                             : ""));
}

std::string html_costs(const ExperimentReport& report, const EntryLabels& labels, HtmlPage& page) {
    const std::vector<Plot> plots = accuracy_against_cost(report, labels.labels);
    if (plots.empty()) return {};
    return "<h2 id=\"costs\">Accuracy against cost</h2>\n" + page.charts(plots) +
           (labels.note.empty() ? "" : html_note(labels.note)) + html_other_test_sets(report) +
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
