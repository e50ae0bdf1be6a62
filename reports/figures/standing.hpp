#pragma once

// From how many others the first of a board is told apart. Computes; prints nothing.

#include <cstddef>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_tests.hpp"

namespace lockstep::reports {

struct Standing {
    std::size_t others = 0;            // with a result on its test set
    std::vector<std::size_t> worse{};  // places of entries that it is better than, best first
    std::vector<std::size_t> equal{};  // that it is not told apart from, best first
    // Without a test: one finished seed, on either side, or no scatter. Best first.
    std::vector<std::size_t> untested{};
    double largest_p_value = 0.0;  // of `worse`, corrected
    std::size_t family = 0;        // pairs corrected for, at most
};

// How entry `first` stands to the others on its test set, by `tests`: pair_tests() of `entries`.
Standing standing_of(const std::vector<ArchitectureFigures>& entries,
                     const std::vector<PairTest>& tests, std::size_t first);

}  // namespace lockstep::reports
