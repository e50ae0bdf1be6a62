#include "reports/figures/pair_comparison.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Runs = std::vector<RunFigures>;
using BySeed = std::map<std::int64_t, const RunFigures*>;
using RunPair = std::pair<const RunFigures*, const RunFigures*>;

// Finished runs with a test accuracy.
BySeed tested_by_seed(const Runs& runs, const ArchitectureFigures& entry) {
    BySeed tested;
    for (const std::size_t i : entry.runs) {
        if (runs[i].is_finished() && runs[i].test_accuracy) {
            tested.try_emplace(runs[i].run.seed, &runs[i]);
        }
    }
    return tested;
}

std::vector<RunPair> shared_seeds(const BySeed& of_first, const BySeed& of_second) {
    std::vector<RunPair> shared;
    for (const auto& [seed, run] : of_first) {
        const auto other = of_second.find(seed);
        if (other != of_second.end()) shared.emplace_back(run, other->second);
    }
    return shared;
}

// A seed that one side alone has may differ from all others: of those the test knows.
bool is_tie(const std::vector<RunPair>& shared, const BySeed& of_first, const BySeed& of_second) {
    const bool are_all = shared.size() == of_first.size() && shared.size() == of_second.size();
    return are_all && shared.size() > 1 && std::ranges::all_of(shared, [](const RunPair& runs) {
               return is_same_figure(*runs.first->test_accuracy, *runs.second->test_accuracy);
           });
}

class PairMaker {
public:
    PairMaker(const Runs& runs, const std::vector<TestAnswers>& answers)
        : runs_(runs), answers_(answers) {}

    PairComparison compare(const ArchitectureFigures& first, const ArchitectureFigures& second,
                           const PairTest* test) const {
        PairComparison pair{.first = first.name,
                            .second = second.name,
                            .is_first_selected = first.selected_on_test_set,
                            .is_second_selected = second.selected_on_test_set};
        const BySeed of_first = tested_by_seed(runs_, first);
        const BySeed of_second = tested_by_seed(runs_, second);
        pair.first_seeds = static_cast<int>(of_first.size());
        pair.second_seeds = static_cast<int>(of_second.size());
        if (first.test_set != second.test_set) {
            pair.has_one_test_set = false;
            pair.reason = "tested on different images";
        } else if (of_first.empty() || of_second.empty()) {
            pair.reason = "not both are finished";
        } else {
            pair.difference =
                first.test_accuracy.estimate.mean - second.test_accuracy.estimate.mean;
            if (test != nullptr) pair.test = *test;
            decide(of_first, of_second, pair);
        }
        return pair;
    }

private:
    void decide(const BySeed& of_first, const BySeed& of_second, PairComparison& pair) const {
        const std::vector<RunPair> shared = shared_seeds(of_first, of_second);
        if (is_tie(shared, of_first, of_second)) {
            pair.verdict = Verdict::tie;
        } else if (pair.test) {
            pair.verdict = !pair.test->is_told_apart() ? Verdict::not_distinguishable
                           : pair.difference > 0.0     ? Verdict::first_is_better
                                                       : Verdict::second_is_better;
        } else if (of_first.size() == 1 || of_second.size() == 1) {
            pair.verdict = Verdict::one_seed;
        } else {
            pair.reason = "seeds that all agree have no scatter to test by";
        }
        if (pair.test) return;
        compare_images(shared.empty() ? RunPair(of_first.begin()->second, of_second.begin()->second)
                                      : shared.front(),
                       pair);
    }

    const TestAnswers* answers_of(const RunFigures& run) const {
        const auto found = std::ranges::find(answers_, run.run.run, &TestAnswers::run);
        return found == answers_.end() ? nullptr : &*found;
    }

    void compare_images(const RunPair& runs, PairComparison& pair) const {
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

    const Runs& runs_;
    const std::vector<TestAnswers>& answers_;
};

}  // namespace

std::vector<PairComparison> compare_pairs(const Runs& runs,
                                          const std::vector<ArchitectureFigures>& entries,
                                          const std::vector<PairTest>& tests,
                                          const std::vector<TestAnswers>& answers,
                                          std::size_t compared) {
    const PairMaker maker(runs, answers);
    const std::size_t count = std::min(compared, entries.size());
    std::vector<PairComparison> pairs;
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = i + 1; j < count; ++j) {
            pairs.push_back(maker.compare(entries[i], entries[j], test_of(tests, i, j)));
        }
    }
    return pairs;
}

}  // namespace lockstep::reports
