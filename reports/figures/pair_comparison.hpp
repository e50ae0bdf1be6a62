#pragma once

// Which of two architectures is better, where that can be told at all. Computes; prints nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pooled_noise.hpp"
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
    tie,  // the same number of images right, seed by seed, over several seeds
    not_distinguishable,
    not_comparable
};

struct PairComparison {
    std::string first;  // names of architectures
    std::string second;
    // On the test set that both are compared on: such a side's figures flatter.
    bool is_first_selected = false;
    bool is_second_selected = false;
    // second - first in test accuracy, over the seeds both finished with; from one shared seed on.
    std::optional<PairedDifference> over_seeds{};
    // Of one run each: those of the lowest shared seed, else the first finished ones.
    std::optional<McNemar> on_images{};
    std::int64_t images = 0;  // of the test set, where on_images is given
    // Over all finished seeds, where their test set has pooled_noise().
    std::optional<PooledPair> pooled{};
    // Of the pooled t test, of that over shared seeds where it is defined, else of McNemar's.
    std::optional<double> p_value{};
    // Holm's: of the pooled tests over all pairs of their test set, those of entries that are not
    // compared here included; of the others over all of them.
    std::optional<double> adjusted_p_value{};
    bool is_over_seeds = false;    // p_value is a t test's
    double difference = 0.0;       // second - first: over seeds, else of the two runs
    bool has_one_test_set = true;  // false: tested on different images by design
    Verdict verdict = Verdict::not_comparable;
    std::string reason{};  // why they are not comparable
};

// All pairs of the first `compared` of `entries`, in order. `answers` are those of the finished
// runs that have them.
std::vector<PairComparison> compare_pairs(const std::vector<RunFigures>& runs,
                                          const std::vector<ArchitectureFigures>& entries,
                                          const std::vector<TestAnswers>& answers,
                                          std::size_t compared = SIZE_MAX);

}  // namespace lockstep::reports
