#include "reports/words/verdict_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "reports/figures/chance_level.hpp"
#include "reports/figures/standing.hpp"
#include "reports/words/effect_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kNamed = 2;      // architectures in a sentence
constexpr std::size_t kSentences = 3;  // winners, one a test set

using Places = std::vector<std::size_t>;

const Estimate& accuracy_of(const ArchitectureFigures& entry) {
    return entry.test_accuracy.estimate;
}

// "a, b and 3 more"
std::string list_of(const ExperimentReport& report, const Places& entries) {
    std::string text;
    for (std::size_t i = 0; i < std::min(entries.size(), kNamed); ++i) {
        const char* between = entries.size() == kNamed ? " and " : ", ";
        text += (i == 0 ? "" : between) + report.entries[entries[i]].name;
    }
    if (entries.size() > kNamed) text += fmt::format(" and {} more", entries.size() - kNamed);
    return text;
}

constexpr const char* kTest = "Welch’s t test over seeds";

// Behind the test: ", p 0.0154, corrected for the 6 pairs of the experiment".
std::string method_text(const std::string& p, std::size_t family) {
    return (p.empty() ? "" : ", p " + p) +
           (family == 1 ? ""
                        : fmt::format(", corrected for the {} pairs of the experiment", family));
}

std::string method_text(const ExperimentReport& report, const Standing& standing,
                        std::size_t first) {
    if (standing.others == 1) {
        const Places& other = standing.worse.empty() ? standing.equal : standing.worse;
        return method_text(
            p_value_text(test_of(report.tests, first, other.front())->adjusted_p_value),
            standing.family);
    }
    if (standing.worse.size() == standing.others) {
        return method_text(p_value_text(standing.largest_p_value) + " at most", standing.family);
    }
    return method_text("", standing.family);
}

// Why some have no test: one seed on either side, or no scatter.
std::string untested_text(const ExperimentReport& report, const Places& untested) {
    const bool have_one = std::ranges::all_of(
        untested, [&](std::size_t place) { return accuracy_of(report.entries[place]).count == 1; });
    return fmt::format("not tested against {}{}", list_of(report, untested),
                       !have_one              ? ""
                       : untested.size() == 1 ? ", which has one seed"
                                              : ", which have one seed each");
}

void add_reality(const ExperimentReport& report, std::size_t first, Sentences& text) {
    const Standing standing = standing_of(report.entries, report.tests, first);
    if (standing.others == 0) return;
    if (standing.untested.size() == standing.others) {
        if (accuracy_of(report.entries[first]).count == 1) {
            text.push_back({"With one seed nobody can tell whether others would give this order.",
                            Emphasis::warning});
            text.push_back({" Train several: seeds = [1, 2, 3]."});
            return;
        }
        text.push_back({"It is " + untested_text(report, standing.untested), Emphasis::warning});
        text.push_back({": the order may be chance."});
        return;
    }
    if (standing.worse.size() == standing.others) {
        text.push_back({standing.others == 1
                            ? "It is better than " + list_of(report, standing.worse) + '.'
                            : fmt::format("It is better than all {} others.", standing.others),
                        Emphasis::good});
    } else {
        text.push_back({"It is "});
        if (!standing.worse.empty()) {
            text.push_back({fmt::format("better than {} of the {} others, ", standing.worse.size(),
                                        standing.others)});
        }
        if (!standing.equal.empty()) {
            text.push_back({"not told apart", Emphasis::warning});
            text.push_back({" from " + list_of(report, standing.equal)});
        }
        if (!standing.untested.empty()) {
            text.push_back({(standing.equal.empty() ? "" : ", and ") +
                            untested_text(report, standing.untested)});
        }
        text.push_back({standing.worse.empty() ? ": the order may be chance." : "."});
    }
    text.push_back({" (", Emphasis::note});
    text.push_back({kTest, Emphasis::note, "pairs"});
    text.push_back({method_text(report, standing, first) + ".)", Emphasis::note});
}

// What guessing gives on the test set of `first`, and who is no better.
void add_chance(const ExperimentReport& report, std::size_t first, Sentences& text) {
    const auto chance = chance_level(report.entries[first].test_set);
    if (!chance) return;
    Places guessing;
    for (std::size_t i = 0; i < report.entries.size(); ++i) {
        const bool is_one = report.entries[i].test_set == report.entries[first].test_set &&
                            is_at_chance(report.entries[i], report.runs);
        if (is_one) guessing.push_back(i);
    }
    if (std::ranges::find(guessing, first) != guessing.end()) {
        text.push_back({" "});
        text.push_back(
            {fmt::format("The figure is no better than guessing, {}.", figure_text(*chance)),
             Emphasis::warning});
        return;
    }
    text.push_back({fmt::format(" Guessing gives {}", figure_text(*chance))});
    if (!guessing.empty()) {
        text.push_back({"; "});
        text.push_back({list_of(report, guessing) + (guessing.size() == 1 ? " is" : " are") +
                            " no better than guessing",
                        Emphasis::warning});
    }
    text.push_back({"."});
}

void add_selection(const ExperimentReport& report, const std::vector<Selection>& all,
                   std::size_t first, Sentences& text) {
    const auto found = std::ranges::find(all, first, &Selection::first);
    if (found == all.end()) return;
    if (is_chosen_by_validation(*found)) {
        text.push_back({fmt::format(" Validation chooses {} too, without the test images.",
                                    report.entries[first].name)});
        return;
    }
    text.push_back({" "});
    text.push_back({fmt::format("To be the best of {} is luck, too", found->candidates),
                    Emphasis::none, "selection"});
    text.push_back({"."});
}

// The settings whose effect is larger than seed noise, with their best values.
void add_settings(const Sweep& sweep, Sentences& text) {
    if (!tells_effects(sweep)) return;
    std::string names;
    int count = 0;
    for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
        const SweptSetting& setting = sweep.settings[i];
        const Effect& effect = sweep.effects->factors[i];
        if (!is_beyond_noise(effect, effect.adjusted_p_value)) continue;
        ++count;
        const auto means = level_means(setting.factor, sweep.accuracies);
        const auto best = std::ranges::max_element(means, {}, &LevelMean::mean) - means.begin();
        names +=
            fmt::format("{}{} (best: {})", names.empty() ? "" : ", ", setting.name.name,
                        shortened(value_text(setting.levels[static_cast<std::size_t>(best)]), 24));
    }
    if (names.empty()) return;
    text.push_back({" "});
    text.push_back({"Of the settings", Emphasis::none, "settings"});
    text.push_back(
        {fmt::format(", {} {} beyond seed noise.", names, count == 1 ? "matters" : "matter")});
}

Sentences winner(const ExperimentReport& report, std::size_t first, const std::string& where) {
    const ArchitectureFigures& entry = report.entries[first];
    const Estimate& accuracy = accuracy_of(entry);
    const bool is_alone = standing_of(report.entries, report.tests, first).others == 0;
    Sentences text{
        {entry.name, Emphasis::name},
        {fmt::format(" has {}{}", is_alone ? "a test accuracy of " : "the best test accuracy, ",
                     figure_text(accuracy.mean)),
         Emphasis::strong},
        {(accuracy.count > 1 ? fmt::format(" (mean of {} seeds)", accuracy.count)
                             : std::string(" (one training)")) +
         where + (is_alone ? "." : ". ")}};
    add_reality(report, first, text);
    if (entry.is_preliminary) text.push_back({" Not finished: the figure may change."});
    if (entry.selected_on_test_set) {
        text.push_back({" "});
        text.push_back({"It was selected on the test set", Emphasis::warning});
        text.push_back({", so the figure flatters."});
    }
    return text;
}

// The first entry of each test set.
Places firsts(const ExperimentReport& report) {
    Places found;
    std::set<TestSet> known;
    for (std::size_t i = 0; i < report.entries.size(); ++i) {
        const ArchitectureFigures& entry = report.entries[i];
        if (known.insert(entry.test_set).second && accuracy_of(entry).count > 0) found.push_back(i);
    }
    return found;
}

void add_unfinished(const ExperimentReport& report, Sentences& text) {
    const Places trainings = places_of_trainings(report.entries);
    const auto finished = std::ranges::count_if(
        trainings, [&](std::size_t run) { return report.runs[run].is_finished(); });
    const auto all = static_cast<std::ptrdiff_t>(trainings.size());
    if (finished == all) return;
    text.push_back({fmt::format(
        "{}{} of {} runs {} not finished: figures are missing, or those so far.",
        text.empty() ? "" : " ", all - finished, all, all - finished == 1 ? "has" : "have")});
}

void add_synthetic(const ExperimentReport& report, Sentences& text) {
    const auto synthetic = std::ranges::count_if(
        report.entries, [](const auto& entry) { return entry.test_set.dataset == kSynthetic; });
    if (synthetic == 0) return;
    const bool are_all = synthetic == static_cast<std::ptrdiff_t>(report.entries.size());
    text.push_back({synthetic_text(are_all), Emphasis::warning});
    text.push_back({std::string(kSyntheticTells) + '.'});
}

}  // namespace

bool is_chosen_by_validation(const Selection& selection) {
    return selection.by_validation == selection.first;
}

std::vector<Sentences> verdict_sentences(const ExperimentReport& report, const Sweep& sweep) {
    if (report.runs.empty()) return {};
    std::vector<Sentences> all;
    const Places winners = firsts(report);
    const TestSetTexts text_of = test_set_texts(report.entries);
    const std::vector<Selection> chosen = selections(report.runs, report.entries);
    for (std::size_t i = 0; i < std::min(winners.size(), kSentences); ++i) {
        const TestSet& set = report.entries[winners[i]].test_set;
        Sentences& text = all.emplace_back(
            winner(report, winners[i], winners.size() > 1 ? " on " + text_of(set) : ""));
        add_chance(report, winners[i], text);
        add_selection(report, chosen, winners[i], text);
        if (i == 0) add_settings(sweep, text);
    }
    if (winners.empty()) {
        all.push_back({{"No architecture has a test accuracy yet.", Emphasis::strong}});
    }
    Sentences rest;
    add_synthetic(report, rest);
    add_unfinished(report, rest);
    if (winners.size() > kSentences) {
        rest.push_back({fmt::format("{}There are {} more test sets.", rest.empty() ? "" : " ",
                                    winners.size() - kSentences)});
    }
    if (!rest.empty()) all.push_back(std::move(rest));
    return all;
}

std::string pair_sentence(const ExperimentReport& report, std::size_t first, std::size_t second) {
    const ArchitectureFigures* a = &report.entries[first];
    const ArchitectureFigures* b = &report.entries[second];
    if (a->test_set != b->test_set) {
        return a->name + " and " + b->name + " were tested on different images: no comparison.";
    }
    const int fewest = std::min(accuracy_of(*a).count, accuracy_of(*b).count);
    if (fewest == 0) return a->name + " and " + b->name + " have not both a test accuracy.";
    const PairTest* test = test_of(report.tests, first, second);
    if (test == nullptr) {
        return fmt::format("{} and {} are not told apart: {}.", a->name, b->name,
                           fewest == 1 ? "one seed says nothing of others"
                                       : "seeds that all agree have no scatter to test by");
    }
    if (accuracy_of(*a).mean < accuracy_of(*b).mean) std::swap(a, b);
    return fmt::format("{} {} {}: test accuracy {} and {}, means of {} and {} seeds ({}{}).",
                       a->name, test->is_told_apart() ? "is better than" : "is not told apart from",
                       b->name, figure_text(accuracy_of(*a).mean),
                       figure_text(accuracy_of(*b).mean), accuracy_of(*a).count,
                       accuracy_of(*b).count, kTest,
                       method_text(p_value_text(test->adjusted_p_value), test->family));
}

std::string plain_text(const Sentences& sentences) {
    std::string text;
    for (const Phrase& phrase : sentences) text += phrase.text;
    return text;
}

}  // namespace lockstep::reports
