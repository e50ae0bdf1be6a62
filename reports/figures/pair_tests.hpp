#pragma once

// The one test that decides a pair of architectures, whatever page, filter or verb asks
// (docs/decisions/0013-one-test-decides-a-pair.md). Computes; prints nothing.
//
// [1] J. W. Tukey: The problem of multiple comparisons. Princeton, 1953; in Collected Works VIII,
//     Chapman & Hall, 1994. Error rates of a whole experiment.
// [2] S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Statist.
//     6(2):65-70, 1979. https://www.jstor.org/stable/4615733

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

struct PairTest {
    std::size_t first = 0;  // places of entries, first < second
    std::size_t second = 0;
    WelchTest welch{};              // of first - second in test accuracy, over all finished seeds
    double adjusted_p_value = 1.0;  // Holm's [2] over the family
    std::size_t family = 1;         // pairs that were corrected for

    bool is_told_apart() const { return adjusted_p_value < kSignificance; }
};

// All pairs of `shown` on one test set that have two finished seeds or more each and scatter: t
// tests of Welch's, each by the shown seeds of its own two sides alone.
//
// The family of a pair is its experiment's [1]: all such pairs of the architectures that stand in
// the experiments that the two share; where they share none, in those of either. Its other pairs
// are tested by all their seeds: leaving architectures or seeds out of sight takes nothing from it.
//   all   the architectures of these experiments, over all their runs. A place in `runs` means the
//         same run in both; each run of `shown` counts, or is repeated, in one of them
std::vector<PairTest> pair_tests(std::span<const ArchitectureFigures> shown,
                                 std::span<const ArchitectureFigures> all);

// The test of these two entries, in either order; none where there is none.
const PairTest* test_of(const std::vector<PairTest>& tests, std::size_t a, std::size_t b);

}  // namespace lockstep::reports
