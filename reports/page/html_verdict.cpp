#include "reports/page/html_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "reports/figures/chance_level.hpp"
#include "reports/figures/selection.hpp"
#include "reports/figures/standing.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/words/effect_text.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

constexpr const char* kSynthetic = "synthetic";
constexpr std::size_t kNamed = 2;      // architectures in a sentence
constexpr std::size_t kSentences = 3;  // winners, one a test set

bool has_result(const ArchitectureFigures& entry) { return entry.test_accuracy.estimate.count > 0; }

std::string list_of(const ExperimentReport& report, const std::vector<std::size_t>& entries) {
    std::string text;
    for (std::size_t i = 0; i < std::min(entries.size(), kNamed); ++i) {
        text += (i == 0 ? "" : ", ") + html_text(report.entries[entries[i]].name);
    }
    if (entries.size() > kNamed) text += fmt::format(" and {} more", entries.size() - kNamed);
    return text;
}

std::string test_note(const Standing& standing) {
    if (standing.test == StandingTest::pooled_noise) {
        const PooledNoise& noise = *standing.noise;
        const std::string warning = scatter_warning(noise.largest_deviation, noise.unequal_p_value);
        return fmt::format(
                   " <small>(95 %, t tests with the seed noise of all together, {} for one run, "
                   "corrected for {} <a href=\"#pairs\">pairs</a>.)</small>",
                   figure_text(noise.deviation), standing.pairs) +
               (warning.empty() ? "" : " <small class=\"warn\">" + warning + "</small>");
    }
    return std::string(" <small>(95 %, corrected for many: <a href=\"#pairs\">the pairs</a>.") +
           (standing.is_of_single_runs
                ? " Single trainings were compared: other seeds may turn out otherwise."
                : "") +
           ")</small>";
}

// Others with a result on its test set.
std::size_t count_others(const ExperimentReport& report, std::size_t place) {
    const auto is_other = [&](const ArchitectureFigures& entry) {
        return entry.test_set == report.entries[place].test_set && has_result(entry);
    };
    return static_cast<std::size_t>(std::ranges::count_if(report.entries, is_other)) - 1;
}

std::string reality(const ExperimentReport& report, std::size_t place) {
    const Standing standing = standing_of(report.entries, report.pairs, place);
    if (standing.tested == 0) return "Nothing on its test set can be tested against it.";
    const char* others =
        standing.tested < count_others(report, place) ? "others compared" : "others";
    if (standing.better == standing.tested) {
        const bool is_single = standing.is_of_single_runs;
        return (standing.tested == 1
                    ? fmt::format(
                          "<b class=\"good\">The difference to the other one is real{}.</b>",
                          is_single ? " for these two trainings" : "")
                    : fmt::format("<b class=\"good\">It is better than all {} {}{}.</b>",
                                  standing.tested, others,
                                  is_single ? ", in these trainings" : "")) +
               test_note(standing);
    }
    const std::string equal = list_of(report, standing.equal);
    if (standing.better == 0) {
        return fmt::format(
            "<b class=\"warn\">It is not told apart</b> from {}: the order may be chance.{}", equal,
            test_note(standing));
    }
    return fmt::format(
        "It is better than {} of the {} {}, <b class=\"warn\">not told apart</b> from {}.{}",
        standing.better, standing.tested, others, equal, test_note(standing));
}

std::string winner(const ExperimentReport& report, const ArchitectureFigures& first,
                   const std::string& where) {
    const Estimate& accuracy = first.test_accuracy.estimate;
    const auto place = static_cast<std::size_t>(&first - report.entries.data());
    const std::string of = accuracy.count > 1 ? fmt::format("mean of {} seeds", accuracy.count)
                                              : std::string("one training");
    const bool is_alone = count_others(report, place) == 0;
    const std::string sentence =
        fmt::format("<b>{} has {}{}</b> ({}){}.", html_text(first.name),
                    is_alone ? "a test accuracy of " : "the best test accuracy, ",
                    figure_text(accuracy.mean), of, where);
    std::string marks;
    if (first.is_preliminary) marks += " Not finished: the figure may change.";
    if (first.selected_on_test_set) {
        marks += " <b class=\"warn\">It was selected on the test set</b>, so the figure flatters.";
    }
    return sentence + ' ' + (is_alone ? "" : reality(report, place)) + marks;
}

// The first entry of each test set.
std::vector<const ArchitectureFigures*> firsts(const ExperimentReport& report) {
    std::vector<const ArchitectureFigures*> found;
    std::set<TestSet> known;
    for (const ArchitectureFigures& entry : report.entries) {
        if (known.insert(entry.test_set).second && has_result(entry)) found.push_back(&entry);
    }
    return found;
}

std::string unfinished_text(const ExperimentReport& report) {
    const auto finished =
        std::ranges::count_if(report.runs, [](const RunFigures& run) { return run.is_finished(); });
    const auto all = static_cast<std::ptrdiff_t>(report.runs.size());
    if (finished == all) return {};
    return fmt::format("{} of {} runs have not finished: theirs are missing, or figures so far. ",
                       all - finished, all);
}

std::string synthetic_text(const ExperimentReport& report) {
    const auto synthetic = std::ranges::count_if(
        report.entries, [](const auto& entry) { return entry.test_set.dataset == kSynthetic; });
    if (synthetic == 0) return {};
    const bool are_all = synthetic == static_cast<std::ptrdiff_t>(report.entries.size());
    return std::string("<b class=\"warn\">") +
           (are_all ? "The images are synthetic" : "Some images are synthetic") +
           "</b>: such figures show that everything runs, and nothing about networks. ";
}

std::string chance_text(const ExperimentReport& report) {
    std::map<std::size_t, double> levels;  // by the number of classes
    for (const ArchitectureFigures& entry : report.entries) {
        if (const auto chance = chance_level(entry.test_set))
            levels[entry.test_set.classes.size()] = *chance;
    }
    std::string text;
    for (const auto& [count, chance] : levels) {
        text +=
            fmt::format("{}{} ({} classes)", text.empty() ? "" : ", ", figure_text(chance), count);
    }
    return text.empty() ? "" : "Guessing gives " + text + ". ";
}

// The best one by the test set is the one that validation chooses without it.
bool is_clean(const Selection& selection) { return selection.by_validation == selection.first; }

std::string selection_text(const ExperimentReport& report) {
    const std::vector<Selection> all = selections(report.runs, report.entries);
    if (all.empty()) return {};
    if (is_clean(all.front())) {
        return "Validation chooses it too, so its figure is <a href=\"#selection\">clean</a>.";
    }
    return fmt::format("To be the best of {} is luck too: <a href=\"#selection\">how much</a>.",
                       all.front().candidates);
}

// ---- the selection -----------------------------------------------------------------------------

std::string validation_text(const ExperimentReport& report, const Selection& selection) {
    if (selection.is_tied) {
        return fmt::format(
            "Several have the best validation accuracy, {}, so validation chooses none of them.",
            figure_text(selection.validation_accuracy));
    }
    if (!selection.by_validation) {
        return "Not all of them validated on images of their own, so no choice free of the test "
               "set can be shown; a clean figure needs <code>data.validation</code> on held-out "
               "training images, or a new test set.";
    }
    const ArchitectureFigures& chosen = report.entries[*selection.by_validation];
    const std::string accuracy = figure_text(chosen.test_accuracy.estimate.mean);
    return fmt::format(
        "Validation chooses <b>{}</b> (validation accuracy {}): its test accuracy "
        "of <b>{}</b> is a clean figure, since no test image took part in the "
        "choice.",
        html_text(chosen.name), figure_text(selection.validation_accuracy), accuracy);
}

std::string selection_item(const ExperimentReport& report, const Selection& selection) {
    const ArchitectureFigures& first = report.entries[selection.first];
    if (is_clean(selection)) {
        return fmt::format(
            "<p><b>{}</b> is the best of {} architectures ({} finished runs) by test accuracy. "
            "Validation chooses the same one (validation accuracy {}), so its test accuracy of "
            "<b>{}</b> is a clean figure: no test image took part in the choice.</p>",
            html_text(first.name), selection.candidates, selection.runs,
            figure_text(selection.validation_accuracy),
            figure_text(first.test_accuracy.estimate.mean));
    }
    std::string text = fmt::format(
        "<p><b>{}</b> is the best of {} architectures ({} finished runs) by the test accuracy "
        "shown here, {}: chosen by it, it is likely to be too high.",
        html_text(first.name), selection.candidates, selection.runs,
        figure_text(first.test_accuracy.estimate.mean));
    if (selection.expected_excess) {
        text += fmt::format(
            " If all {} were equally good, seed noise alone would put the best "
            "{} above their mean.",
            selection.candidates, figure_text(*selection.expected_excess));
    }
    return text + ' ' + validation_text(report, selection) + "</p>";
}

}  // namespace

std::string html_verdict(const ExperimentReport& report) {
    if (report.runs.empty()) return {};
    std::string sentences;
    const std::vector<const ArchitectureFigures*> winners = firsts(report);
    const TestSetTexts text_of = test_set_texts(report.entries);
    for (std::size_t i = 0; i < std::min(winners.size(), kSentences); ++i) {
        const std::string where =
            winners.size() > 1 ? " on " + html_text(text_of(winners[i]->test_set)) : "";
        sentences += "<p>" + winner(report, *winners[i], where) + "</p>\n";
    }
    if (winners.empty()) sentences = "<p><b>No architecture has a test accuracy yet.</b></p>\n";
    if (winners.size() > kSentences) {
        sentences += fmt::format("<p>The leaderboard has the first of {} more test sets.</p>\n",
                                 winners.size() - kSentences);
    }
    return "<div class=\"verdict\">" + sentences + "<p>" + synthetic_text(report) +
           unfinished_text(report) + chance_text(report) + selection_text(report) + "</p></div>\n";
}

std::string html_selection(const ExperimentReport& report) {
    std::string items;
    const std::vector<Selection> all = selections(report.runs, report.entries);
    for (const Selection& selection : all) items += selection_item(report, selection);
    if (items.empty()) return {};
    return std::string("<div class=\"box\" id=\"selection\">") +
           (std::ranges::all_of(all, is_clean)
                ? "<b class=\"good\">The first place is no choice by the test set.</b>"
                : "<b class=\"warn\">A ranking is a selection.</b>") +
           items + "</div>\n";
}

}  // namespace lockstep::reports
