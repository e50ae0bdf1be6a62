#pragma once

// From how many others the first of a board is told apart. Computes; prints nothing.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_comparison.hpp"
#include "reports/figures/pooled_noise.hpp"

namespace lockstep::reports {

enum class StandingTest {
    none,  // nothing can be tested
    pooled_noise,
    pairs,  // those of PairComparison
};

struct Standing {
    StandingTest test = StandingTest::none;
    std::size_t tested = 0;            // others
    std::size_t better = 0;            // it is better than so many
    std::vector<std::size_t> equal{};  // entries it is not told apart from, best first
    bool is_of_single_runs = false;    // some of `pairs` is McNemar's: nothing is known of seeds
    // Of StandingTest::pooled_noise.
    std::optional<PooledNoise> noise{};
    std::size_t pairs = 0;  // corrected for
};

// How entry `first` stands to the others on its test set.
//
// Where three or more finished entries have two seeds or more each: pooled_pairs(), corrected over
// all of them, since the first was not chosen beforehand. Otherwise the verdicts of `pairs`.
Standing standing_of(const std::vector<ArchitectureFigures>& entries,
                     const std::vector<PairComparison>& pairs, std::size_t first);

}  // namespace lockstep::reports
