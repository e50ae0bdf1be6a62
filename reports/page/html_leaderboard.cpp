#include "reports/page/html_leaderboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "reports/figures/chance_level.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_verdict.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/pair_text.hpp"
#include "reports/words/setting_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kValueLetters = 24;  // of a setting's value

bool is_detailed(const ExperimentReport& report, std::size_t place) {
    return std::ranges::find(report.detailed, place, &DetailedRun::run) != report.detailed.end();
}

std::string progress_text(const ExperimentReport& report, const ArchitectureFigures& entry) {
    const RunFigures& run = report.runs[entry.runs.front()];
    if (entry.runs.size() > 1 || run.is_finished()) return entry.state;
    return fmt::format("{}, epoch {} of {}", entry.state, run.epochs.size(), run.run.epochs);
}

std::string badges(const ExperimentReport& report, const ArchitectureFigures& entry) {
    std::string markup;
    if (entry.state != "finished") {
        const bool is_failed = entry.state.find("failed") != std::string::npos;
        markup +=
            ' ' + html_badge(progress_text(report, entry), is_failed ? Tone::bad : Tone::plain);
    }
    if (entry.selected_on_test_set) {
        markup += ' ' + html_badge("selected on the test set", Tone::warning);
    }
    if (is_at_chance(entry, report.runs)) {
        markup += ' ' + html_badge("no better than guessing", Tone::warning);
    }
    if (!report.runs[entry.runs.front()].test_views.empty())
        markup += ' ' + html_badge("several views", Tone::plain);
    return markup.empty() ? "" : "<div>" + markup + "</div>";
}

std::string name_cell(const ExperimentReport& report, const ArchitectureFigures& entry) {
    const std::size_t first = entry.runs.front();
    const std::string name = html_text(entry.name);
    const std::string link =
        is_detailed(report, first)
            ? fmt::format("<a href=\"#{}\">{}</a>", anchor_of(report.runs[first].run.run), name)
            : name;
    std::string words;
    for (const std::string& text : {report.runs[first].run.title, entry.source}) {
        if (!text.empty()) words += fmt::format("<small>{}</small>", html_text(text));
    }
    return link + words + badges(report, entry);
}

std::string measured_cell(const Measured& measured) {
    std::string mean = mean_text(measured.estimate);
    if (!measured.interval) return mean;
    return fmt::format("{}<small>{}</small>", mean, interval_text(*measured.interval));
}

std::string printed_cell(const ArchitectureFigures& entry) {
    if (!entry.printed) return kNoFigure;
    std::string metric = entry.printed->printed.metric;  // best_val_accuracy: would not wrap
    std::ranges::replace(metric, '_', ' ');
    return fmt::format("{}<small class=\"wrap\">{}</small>",
                       figure_text(entry.printed->printed.value), html_text(metric));
}

std::string coverage_cell(const ArchitectureFigures& entry) {
    if (!entry.printed) return kNoFigure;
    const PrintedComparison& printed = *entry.printed;
    const char* css = !printed.is_covered ? "soft" : *printed.is_covered ? "good" : "warn";
    std::string text = fmt::format("<span class=\"{}\">{}</span>", css, coverage_text(printed));
    const bool is_shown_beside = printed.printed.metric == "test_accuracy";
    if (printed.ours.interval && !is_shown_beside) {
        text += fmt::format("<small>ours {} ({})</small>", mean_text(printed.ours.estimate),
                            interval_text(*printed.ours.interval));
    }
    return text;
}

// Rows below the name of their test set, and what its figures are read against.
class TestSetGroups {
public:
    explicit TestSetGroups(const ExperimentReport& report)
        : text_of_(test_set_texts(report.entries)) {}

    void before(const ArchitectureFigures& entry, HtmlTable& table) {
        if (last_ && *last_ == entry.test_set) return;
        last_ = entry.test_set;
        table.group(words_of(entry.test_set));
    }

private:
    std::string words_of(const TestSet& set) const {
        std::string words = text_of_(set);
        if (const auto chance = chance_level(set)) {
            words += "; guessing gives " + figure_text(*chance);
        }
        if (set.dataset == kSynthetic) words += "; synthetic images, so nothing about real ones";
        return words;
    }

    TestSetTexts text_of_;
    std::optional<TestSet> last_;
};

std::string seeds_text(const ArchitectureFigures& entry) {
    const auto all = static_cast<int>(entry.runs.size());
    return entry.finished == all ? fmt::format("{}", all)
                                 : fmt::format("{} of {}", entry.finished, all);
}

// Of few classes five are most.
std::string top_5_text(const ArchitectureFigures& entry) {
    constexpr std::size_t kFewClasses = 10;
    const bool is_of_few = entry.test_set.classes.size() <= kFewClasses;
    return is_of_few ? kNoFigure : mean_text(entry.test_top_5_accuracy);
}

// "net-8c96775b": a hash tells it from others, and nobody what it is.
bool ends_with_hash(std::string_view name) {
    constexpr std::size_t kDigits = 8;
    name = name.substr(0, name.find(" ("));  // of which experiment or data
    if (name.size() <= kDigits || name[name.size() - kDigits - 1] != '-') return false;
    return name.substr(name.size() - kDigits).find_first_not_of("0123456789abcdef") ==
           std::string_view::npos;
}

// "learning_rate 0.01", a line each.
std::string settings_cell(const ExperimentReport& report, const Sweep& sweep,
                          const ArchitectureFigures& entry) {
    if (std::ranges::none_of(report.entries, ends_with_hash, &ArchitectureFigures::name)) return {};
    std::string lines;
    for (const SweptSetting& setting : sweep.settings) {
        const std::string value = value_text(setting.values[entry.runs.front()]);
        lines += fmt::format("<small>{} <b>{}</b></small>", html_text(setting.name.name),
                             html_text(shortened(value, kValueLetters)));
    }
    return lines;
}

HtmlTable results_table(const ExperimentReport& report, const Sweep& sweep) {
    HtmlTable table("Results: best test accuracy first; small figures are 95 % intervals",
                    HtmlTable::Width::page);
    using Column = HtmlTable::Column;
    table.text_column("architecture")
        .text_column("settings", Column::where_filled)
        .number_column("test accuracy")
        .number_column("seeds")
        .number_column("top-5 accuracy", Column::where_filled)
        .number_column("test loss", Column::where_filled)
        .number_column("best val. accuracy", Column::where_filled)
        .number_column("parameters")
        .number_column("FLOPs/image")
        .number_column("printed", Column::where_filled)
        .text_column("covered?", Column::where_filled);
    TestSetGroups groups(report);
    for (const ArchitectureFigures& entry : report.entries) {
        if (&entry - report.entries.data() >= static_cast<std::ptrdiff_t>(kTableRows)) break;
        groups.before(entry, table);
        const storage::RunRow& run = report.runs[entry.runs.front()].run;
        table.row(name_cell(report, entry))
            .html(settings_cell(report, sweep, entry))
            .number_html(measured_cell(entry.test_accuracy))
            .number(seeds_text(entry))
            .number(top_5_text(entry))
            .number(mean_text(entry.test_loss))
            .number(mean_text(entry.val_accuracy_best))
            .number(thousands(run.parameters))
            .number(flops_text(run.flops_per_image))
            .number_html(printed_cell(entry))
            .html(coverage_cell(entry));
    }
    return table;
}

std::string two(const Estimate& best, const Estimate& last) {
    if (best.count == 0 && last.count == 0) return kNoFigure;
    if (mean_text(best) == mean_text(last)) return mean_text(best);
    return fmt::format("{}<small>last {}</small>", mean_text(best), mean_text(last));
}

HtmlTable training_table(const ExperimentReport& report) {
    HtmlTable table("Training and validation: best epoch, and the last one where it differs",
                    HtmlTable::Width::page);
    table.text_column("architecture");
    for (const char* title : {"accuracy", "loss", "val. accuracy", "val. loss", "epochs", "time",
                              "images/s", "ranks"}) {
        table.number_column(title, HtmlTable::Column::where_filled);
    }
    TestSetGroups groups(report);
    for (const ArchitectureFigures& entry : report.entries) {
        if (&entry - report.entries.data() >= static_cast<std::ptrdiff_t>(kTableRows)) break;
        groups.before(entry, table);
        const RunFigures& run = report.runs[entry.runs.front()];
        const bool has_trained = entry.epochs.count > 0 && entry.epochs.mean > 0.0;
        table.row(html_text(entry.name))
            .number_html(two(entry.accuracy_best, entry.accuracy_final))
            .number_html(two(entry.loss_best, entry.loss_final))
            .number_html(two(entry.val_accuracy_best, entry.val_accuracy_final))
            .number_html(two(entry.val_loss_best, entry.val_loss_final))
            .number(has_trained ? fmt::format("{:.4g}", entry.epochs.mean) : kNoFigure)
            .number(has_trained ? duration_text(entry.seconds.mean) : kNoFigure)
            .number(has_trained ? rate_text(entry.images_per_second.mean, entry.stopped_seconds)
                                : kNoFigure)
            .number(run.ranks > 0 ? fmt::format("{}", run.ranks) : kNoFigure);
    }
    return table;
}

std::string clean_figures(const ExperimentReport& report) {
    std::string items;
    for (const ArchitectureFigures& entry : report.entries) {
        if (!entry.selected_on_test_set) continue;
        items += fmt::format(
            "<li><b>{}</b>: {}</li>", html_text(entry.name),
            entry.clean ? fmt::format("clean figure {} ({})", figure_text(entry.clean->accuracy),
                                      html_text(entry.clean->from))
                        : "no clean figure: no run of the same settings selected nothing on it");
    }
    if (items.empty()) return {};
    return "<div class=\"box\"><b class=\"warn\">Selected on the test set.</b> These chose their "
           "weights or their last epoch by looking at the images they are then tested on, so their "
           "test figures flatter.<ul>" +
           items + "</ul></div>\n";
}

bool has_interval(const ExperimentReport& report, IntervalKind kind) {
    return std::ranges::any_of(report.entries, [&](const ArchitectureFigures& entry) {
        return entry.test_accuracy.kind == kind;
    });
}

// What an architecture, and an interval of which kinds there are, is.
std::string interval_note(const ExperimentReport& report) {
    std::string text =
        "An architecture is a network with its settings, over all its seeds: figures are means "
        "over "
        "finished runs, or those so far where none is finished.";
    if (has_interval(report, IntervalKind::over_seeds)) {
        text +=
            " An interval is where the mean over other seeds would lie, each by itself (t): "
            "whether "
            "two differ the pairs decide, not whether intervals overlap.";
    }
    if (has_interval(report, IntervalKind::of_one_run)) {
        text +=
            " The interval of one run (Wilson) is what other test images would give, and says "
            "nothing about other seeds.";
    }
    return text;
}

std::string watchers(const ExperimentReport& report) {
    std::string names;
    for (const ArchitectureFigures& entry : report.entries) {
        if (!entry.validates_on_test_set || entry.selected_on_test_set) continue;
        names += (names.empty() ? "" : ", ") + html_text(entry.name);
    }
    if (names.empty()) return {};
    return fmt::format(
        "<p class=\"note\">Validated on the test set, but chose nothing by it: {}."
        "</p>\n",
        names);
}

std::string several_views(const ExperimentReport& report) {
    std::string names;
    for (const ArchitectureFigures& entry : report.entries) {
        const std::string& views = report.runs[entry.runs.front()].test_views;
        if (views.empty()) continue;
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", html_text(entry.name),
                             html_text(views));
    }
    if (names.empty()) return {};
    return fmt::format(
        "<p class=\"note\">Test-time augmentation: the test figures of these are of several views "
        "of each image, over which the logits are averaged (<code>data.test_views</code>); "
        "validation figures, and all figures of others, are of each image as it is: {}.</p>\n",
        names);
}

std::string repeated(const ExperimentReport& report) {
    std::string items;
    for (const ArchitectureFigures& entry : report.entries) {
        for (const RepeatedRun& repeat : entry.repeats) {
            items += fmt::format("<li>{} is the training of {}</li>",
                                 html_text(report.runs[repeat.run].run.run),
                                 html_text(report.runs[repeat.counted].run.run));
        }
    }
    if (items.empty()) return {};
    return "<p class=\"note\">Stored twice, counted once:</p><ul class=\"note\">" + items +
           "</ul>\n";
}

std::string disturbed(const ExperimentReport& report) {
    std::string names;
    for (const ArchitectureFigures& entry : report.entries) {
        if (entry.stopped_seconds <= 0) continue;
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", html_text(entry.name),
                             duration_text(entry.stopped_seconds));
    }
    if (names.empty()) return {};
    return fmt::format(
        "<p class=\"note\">Disturbed: while these were trained a rank stood still, stopped or "
        "frozen, so that their times and rates tell nothing of them: {}.</p>\n",
        names);
}

std::string left_out(const ExperimentReport& report) {
    if (report.entries.size() <= kTableRows) return {};
    return fmt::format(
        "<p class=\"note\">The first {} of {} architectures; report.csv has every run.</p>\n",
        kTableRows, report.entries.size());
}

}  // namespace

std::string html_leaderboard(const ExperimentReport& report, const Sweep& sweep, Details training) {
    std::string markup = "<h2 id=\"leaderboard\">Leaderboard</h2>\n";
    if (report.runs.empty()) return markup + "<p>No run has been recorded yet.</p>\n";
    std::string trained = training_table(report).markup();
    if (training == Details::closed) trained = html_details("Training and validation", trained);
    return markup + results_table(report, sweep).markup() + html_selection(report) +
           clean_figures(report) + several_views(report) + watchers(report) +
           html_note(interval_note(report)) + trained + disturbed(report) + repeated(report) +
           left_out(report);
}

}  // namespace lockstep::reports
