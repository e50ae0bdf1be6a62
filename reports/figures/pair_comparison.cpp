#include "reports/figures/pair_comparison.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Runs = std::vector<RunFigures>;

// Finished runs with a test accuracy, by seed.
std::map<std::int64_t, const RunFigures*> tested_by_seed(const Runs& runs,
                                                         const ArchitectureFigures& entry) {
    std::map<std::int64_t, const RunFigures*> tested;
    for (const std::size_t i : entry.runs) {
        if (runs[i].is_finished() && runs[i].test_accuracy) {
            tested.try_emplace(runs[i].run.seed, &runs[i]);
        }
    }
    return tested;
}

using RunPair = std::pair<const RunFigures*, const RunFigures*>;

bool are_counts_of_one_size(const RunPair& runs) {
    return runs.first->test_right && runs.second->test_right &&
           runs.first->test_right->trials == runs.second->test_right->trials;
}

// By whole numbers of images where all are counts of the same images, which is the rule.
PairedDifference difference_of(const std::vector<RunPair>& shared) {
    const auto trials = [](const RunPair& runs) {
        return are_counts_of_one_size(runs) ? runs.first->test_right->trials : 0;
    };
    const std::int64_t images = trials(shared.front());
    const bool are_counts = images > 0 && std::ranges::all_of(shared, [&](const RunPair& runs) {
                                return trials(runs) == images;
                            });
    std::vector<Proportion> first_right, second_right;
    std::vector<double> first, second;
    for (const auto& [a, b] : shared) {
        if (are_counts) first_right.push_back(*a->test_right);
        if (are_counts) second_right.push_back(*b->test_right);
        first.push_back(*a->test_accuracy);
        second.push_back(*b->test_accuracy);
    }
    return are_counts ? paired_count_difference(first_right, second_right)
                      : paired_difference(first, second);
}

class PairMaker {
public:
    PairMaker(const Runs& runs, const std::vector<TestAnswers>& answers)
        : runs_(runs), answers_(answers) {}

    PairComparison compare(const ArchitectureFigures& first,
                           const ArchitectureFigures& second) const {
        PairComparison pair{.first = first.name,
                            .second = second.name,
                            .is_first_selected = first.selected_on_test_set,
                            .is_second_selected = second.selected_on_test_set};
        const auto of_first = tested_by_seed(runs_, first);
        const auto of_second = tested_by_seed(runs_, second);
        if (first.test_set != second.test_set) {
            pair.has_one_test_set = false;
            pair.reason = "tested on different images";
        } else if (of_first.empty() || of_second.empty()) {
            pair.reason = "not both are finished";
        } else {
            compare_seeds(of_first, of_second, pair);
            compare_images(one_each(of_first, of_second), pair);
            choose_test(pair);
        }
        return pair;
    }

private:
    using BySeed = std::map<std::int64_t, const RunFigures*>;

    static void compare_seeds(const BySeed& of_first, const BySeed& of_second,
                              PairComparison& pair) {
        std::vector<RunPair> shared;
        for (const auto& [seed, run] : of_first) {
            const auto other = of_second.find(seed);
            if (other != of_second.end()) shared.emplace_back(run, other->second);
        }
        if (!shared.empty()) pair.over_seeds = difference_of(shared);
    }

    static RunPair one_each(const BySeed& of_first, const BySeed& of_second) {
        for (const auto& [seed, run] : of_first) {
            const auto other = of_second.find(seed);
            if (other != of_second.end()) return {run, other->second};
        }
        return {of_first.begin()->second, of_second.begin()->second};
    }

    const TestAnswers* answers_of(const RunFigures& run) const {
        const auto found = std::ranges::find(answers_, run.run.run, &TestAnswers::run);
        return found == answers_.end() ? nullptr : &*found;
    }

    void compare_images(const RunPair& runs, PairComparison& pair) const {
        pair.difference = difference_of({runs}).difference.mean;
        const TestAnswers* first = answers_of(*runs.first);
        const TestAnswers* second = answers_of(*runs.second);
        if (first == nullptr || second == nullptr) return;
        const bool are_same_images =
            runs.first->test_set == runs.second->test_set && first->labels == second->labels;
        if (!are_same_images) return;
        std::int64_t only_first = 0;
        std::int64_t only_second = 0;
        for (std::size_t i = 0; i < first->is_correct.size(); ++i) {
            only_first += first->is_correct[i] && !second->is_correct[i] ? 1 : 0;
            only_second += second->is_correct[i] && !first->is_correct[i] ? 1 : 0;
        }
        pair.on_images = mcnemar_exact(only_first, only_second);
        pair.images = static_cast<std::int64_t>(first->labels.size());
    }

    static void choose_test(PairComparison& pair) {
        const bool has_seeds = pair.over_seeds && pair.over_seeds->difference.count > 1;
        if (has_seeds) pair.difference = pair.over_seeds->difference.mean;
        if (has_seeds && pair.over_seeds->p_value) {
            pair.p_value = pair.over_seeds->p_value;
            pair.is_over_seeds = true;
        } else if (pair.on_images) {
            pair.p_value = pair.on_images->p_value;
        } else if (has_seeds) {
            pair.reason = "the same difference with every seed has no deviation to test it by";
        } else {
            pair.reason = "one seed, and no predictions on the same images";
        }
    }

    const Runs& runs_;
    const std::vector<TestAnswers>& answers_;
};

Verdict verdict_of(const PairComparison& pair) {
    const bool is_tie =
        pair.over_seeds && pair.over_seeds->is_tie && pair.over_seeds->difference.count > 1;
    if (is_tie) return Verdict::tie;
    if (!pair.adjusted_p_value) return Verdict::not_comparable;
    if (*pair.adjusted_p_value >= kSignificance) return Verdict::not_distinguishable;
    // The test speaks of its own difference, which may have another sign than that of the means.
    const double difference =
        pair.pooled ? pair.pooled->difference
        : pair.is_over_seeds
            ? pair.over_seeds->difference.mean
            : static_cast<double>(pair.on_images->only_second - pair.on_images->only_first);
    return difference > 0.0 ? Verdict::second_is_better : Verdict::first_is_better;
}

// By the places of their entries.
using Pooled = std::map<std::pair<std::size_t, std::size_t>, PooledPair>;

Pooled pooled_of(const std::vector<ArchitectureFigures>& entries) {
    Pooled pooled;
    std::set<TestSet> known;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!known.insert(entries[i].test_set).second) continue;
        const auto noise = pooled_noise(entries, i);
        if (!noise) continue;
        for (const PooledPair& pair : pooled_pairs(entries, *noise)) {
            pooled.emplace(std::pair(pair.first, pair.second), pair);
        }
    }
    return pooled;
}

void take_pooled(const PooledPair& pooled, PairComparison& pair) {
    pair.pooled = pooled;
    pair.p_value = pooled.p_value;
    pair.difference = pooled.difference;
    pair.is_over_seeds = true;
    pair.reason.clear();
}

void correct(std::vector<PairComparison>& pairs) {
    std::vector<PairComparison> others;
    for (const PairComparison& pair : pairs) {
        if (!pair.pooled) others.push_back(pair);
    }
    correct_for_many(others);
    std::size_t next = 0;
    for (PairComparison& pair : pairs) {
        pair.adjusted_p_value =
            pair.pooled ? pair.pooled->adjusted_p_value : others[next++].adjusted_p_value;
    }
}

}  // namespace

std::vector<PairComparison> compare_pairs(const Runs& runs,
                                          const std::vector<ArchitectureFigures>& entries,
                                          const std::vector<TestAnswers>& answers,
                                          std::size_t compared) {
    const PairMaker maker(runs, answers);
    const Pooled pooled = pooled_of(entries);
    const std::size_t count = std::min(compared, entries.size());
    std::vector<PairComparison> pairs;
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = i + 1; j < count; ++j) {
            PairComparison& pair = pairs.emplace_back(maker.compare(entries[i], entries[j]));
            const auto found = pooled.find({i, j});
            if (found != pooled.end()) take_pooled(found->second, pair);
        }
    }
    correct(pairs);
    for (PairComparison& pair : pairs) pair.verdict = verdict_of(pair);
    return pairs;
}

}  // namespace lockstep::reports
