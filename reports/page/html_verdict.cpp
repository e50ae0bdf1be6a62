#include "reports/page/html_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "reports/figures/selection.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

constexpr const char* kSynthetic = "synthetic";
constexpr std::size_t kNamed = 4;      // architectures in a sentence
constexpr std::size_t kSentences = 3;  // winners, one a test set

bool has_result(const ArchitectureFigures& entry) { return entry.test_accuracy.estimate.count > 0; }

// How the first architecture of a test set stands to the others of it.
struct Standing {
    int better = 0;                    // told apart from so many
    int tested = 0;                    // of so many
    bool is_of_single_runs = false;    // some test knows nothing of seeds
    std::vector<std::string> equal{};  // not told apart
};

Standing standing_of(const ExperimentReport& report, const ArchitectureFigures& first) {
    Standing standing;
    for (const PairComparison& pair : report.pairs) {
        const bool is_first = pair.first == first.name;
        if (!is_first && pair.second != first.name) continue;
        if (pair.verdict == Verdict::not_comparable) continue;
        ++standing.tested;
        standing.is_of_single_runs = standing.is_of_single_runs || !pair.is_over_seeds;
        const Verdict wins = is_first ? Verdict::first_is_better : Verdict::second_is_better;
        if (pair.verdict == wins) {
            ++standing.better;
        } else {
            standing.equal.push_back(is_first ? pair.second : pair.first);
        }
    }
    return standing;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
        text += (i == 0 ? "" : ", ") + html_text(names[i]);
    }
    if (names.size() > kNamed) text += fmt::format(" and {} more", names.size() - kNamed);
    return text;
}

std::string reality(const Standing& standing) {
    if (standing.tested == 0) return "Nothing on its test set can be tested against it.";
    const std::string seeds =
        standing.is_of_single_runs
            ? " Single trainings were compared: other seeds may turn out otherwise."
            : "";
    if (standing.better == standing.tested) {
        return (standing.tested == 1
                    ? std::string("The difference to the other one is real")
                    : fmt::format("The differences to all {} compared are real", standing.tested)) +
               " (95 %, corrected for many)." + seeds;
    }
    if (standing.better == 0) {
        return fmt::format(
            "<b class=\"warn\">It is not told apart</b> from {}: the order may be "
            "chance.{}",
            list_of(standing.equal), seeds);
    }
    return fmt::format(
        "It is told apart from {} of {} compared (95 %, corrected for many), "
        "<b class=\"warn\">not from</b> {}.{}",
        standing.better, standing.tested, list_of(standing.equal), seeds);
}

std::string winner(const ExperimentReport& report, const ArchitectureFigures& first,
                   const std::string& where) {
    const Estimate& accuracy = first.test_accuracy.estimate;
    const std::string of = accuracy.count > 1 ? fmt::format("mean of {} seeds", accuracy.count)
                                              : std::string("one training");
    const bool is_alone = std::ranges::count_if(report.entries, [&](const auto& entry) {
                              return entry.test_set == first.test_set && has_result(entry);
                          }) == 1;
    const std::string sentence =
        fmt::format("<b>{} has {}{}</b> ({}){}.", html_text(first.name),
                    is_alone ? "a test accuracy of " : "the best test accuracy, ",
                    figure_text(accuracy.mean), of, where);
    std::string marks;
    if (first.is_preliminary) marks += " Not finished: the figure may change.";
    if (first.selected_on_test_set) {
        marks += " <b class=\"warn\">It was selected on the test set</b>, so the figure flatters.";
    }
    return sentence + ' ' + (is_alone ? "" : reality(standing_of(report, first))) + marks;
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
    return fmt::format("{} of {} runs have not finished: figures are those so far. ",
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
    std::set<std::size_t> classes;
    for (const ArchitectureFigures& entry : report.entries) {
        if (entry.test_set.chance()) classes.insert(entry.test_set.classes.size());
    }
    std::string text;
    for (const std::size_t count : classes) {
        text += fmt::format("{}{} ({} classes)", text.empty() ? "" : ", ",
                            figure_text(1.0 / static_cast<double>(count)), count);
    }
    return text.empty() ? "" : "Guessing gives " + text + ". ";
}

std::string selection_text(const ExperimentReport& report) {
    const std::vector<Selection> all = selections(report.runs, report.entries);
    if (all.empty()) return {};
    return fmt::format(
        "The first of {} is first by luck too: <a href=\"#selection\">how much that may be</a>.",
        all.front().candidates);
}

// ---- the selection -----------------------------------------------------------------------------

std::string validation_text(const ExperimentReport& report, const Selection& selection) {
    if (!selection.by_validation) {
        return "Not all of them validated on images of their own, so no choice free of the test "
               "set can be shown; a clean figure needs <code>data.validation</code> on held-out "
               "training images, or a new test set.";
    }
    const ArchitectureFigures& chosen = report.entries[*selection.by_validation];
    const std::string accuracy = figure_text(chosen.test_accuracy.estimate.mean);
    if (*selection.by_validation == selection.first) {
        return fmt::format(
            "Validation chooses the same one (validation accuracy {}), so its test "
            "accuracy of <b>{}</b> is a clean figure.",
            figure_text(selection.validation_accuracy), accuracy);
    }
    return fmt::format(
        "Validation chooses <b>{}</b> (validation accuracy {}): its test accuracy "
        "of <b>{}</b> is a clean figure, since no test image took part in the "
        "choice.",
        html_text(chosen.name), figure_text(selection.validation_accuracy), accuracy);
}

std::string selection_item(const ExperimentReport& report, const Selection& selection) {
    const ArchitectureFigures& first = report.entries[selection.first];
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

// ---- chance ------------------------------------------------------------------------------------

// No finished run is above guessing, as far as its test set can tell.
bool is_at_chance(const ExperimentReport& report, const ArchitectureFigures& entry) {
    const auto chance = entry.test_set.chance();
    if (!chance || entry.finished == 0) return false;
    return std::ranges::all_of(entry.runs, [&](std::size_t place) {
        const RunFigures& run = report.runs[place];
        if (!run.is_finished()) return true;
        if (!run.test_right) return false;
        const auto interval = wilson_interval(run.test_right->successes, run.test_right->trials);
        return interval && interval->low <= *chance;
    });
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
    for (const Selection& selection : selections(report.runs, report.entries)) {
        items += selection_item(report, selection);
    }
    if (items.empty()) return {};
    return "<div class=\"box\" id=\"selection\"><b class=\"warn\">A ranking is a selection.</b>" +
           items + "</div>\n";
}

std::string html_test_sets(const ExperimentReport& report) {
    std::string sets;
    std::set<TestSet> known;
    const TestSetTexts text_of = test_set_texts(report.entries);
    for (const ArchitectureFigures& entry : report.entries) {
        if (!known.insert(entry.test_set).second) continue;
        const auto chance = entry.test_set.chance();
        sets += (sets.empty() ? "" : "; ") + html_text(text_of(entry.test_set)) +
                (chance ? ", where guessing gives " + figure_text(*chance) : "");
    }
    std::string guessing;
    for (const ArchitectureFigures& entry : report.entries) {
        if (!is_at_chance(report, entry)) continue;
        guessing += (guessing.empty() ? "" : ", ") + html_text(entry.name);
    }
    std::string markup = "<p class=\"note\">Tested on " + sets + ".</p>\n";
    if (!guessing.empty()) {
        markup += "<p><b class=\"warn\">No better than guessing:</b> " + guessing + ".</p>\n";
    }
    return markup;
}

}  // namespace lockstep::reports
