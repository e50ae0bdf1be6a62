#pragma once

// Which of two architectures is better, where that can be told at all. Computes; prints nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_tests.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

// What one run has right of its test images, in their order.
struct TestAnswers {
    std::string run;
    std::vector<std::uint16_t> labels;
    std::vector<bool> is_correct;
};

enum class Verdict {
    first_is_better,
    second_is_better,
    tie,  // the same several seeds on both sides, each with the same number of images right
    not_distinguishable,
    one_seed,  // of one side or both: nothing is known of other seeds
    not_comparable
};

struct PairComparison {
    std::string first;  // names of architectures
    std::string second;
    int first_seeds = 0;  // finished, with a test accuracy
    int second_seeds = 0;
    // On the test set that both are compared on: such a side's figures flatter.
    bool is_first_selected = false;
    bool is_second_selected = false;
    double difference = 0.0;         // first - second, of the means; where both have a result
    std::optional<PairTest> test{};  // over their seeds: it decides
    // Where there is no such test: of one run each, those of the lowest shared seed, else the first
    // finished ones. It tells these two networks apart on these images, and nothing of other seeds.
    std::optional<McNemar> on_images{};
    std::int64_t images = 0;       // of the test set, where on_images is given
    bool has_one_test_set = true;  // false: tested on different images by design
    Verdict verdict = Verdict::not_comparable;
    std::string reason{};  // why they are not comparable
};

// All pairs of the first `compared` of `entries`, in order. `tests` are the pair_tests() of the
// entries, `answers` those of the finished runs that have them.
std::vector<PairComparison> compare_pairs(const std::vector<RunFigures>& runs,
                                          const std::vector<ArchitectureFigures>& entries,
                                          const std::vector<PairTest>& tests,
                                          const std::vector<TestAnswers>& answers,
                                          std::size_t compared = SIZE_MAX);

}  // namespace lockstep::reports
