#pragma once

// From how many others the first of a board is told apart. Computes; prints nothing.
//
// [1] H. Scheffe: The analysis of variance. Wiley, 1959. Section 3.2 (one-way layout).
// [2] S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Statist.
//     6(2):65-70, 1979. https://www.jstor.org/stable/4615733

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_comparison.hpp"

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
    // Of pooled_noise: the deviation of one run and its degrees of freedom.
    double deviation = 0.0;
    int degrees = 0;
    std::size_t pairs = 0;                    // corrected for
    double largest_deviation = 0.0;           // of one entry
    std::optional<double> unequal_p_value{};  // unequal_scatter() of the entries
};

// How entry `first` stands to the others on its test set.
//
// Where three or more finished entries have two seeds or more each: t tests of the difference of
// two means with the variance within entries, pooled over all of them [1], Holm-corrected over all
// pairs [2], since the first was not chosen beforehand. That finds smaller differences than pairs
// alone, whose few seeds each have to tell their own scatter; it supposes that seeds scatter alike
// everywhere. Otherwise the verdicts of `pairs`.
Standing standing_of(const std::vector<ArchitectureFigures>& entries,
                     const std::vector<PairComparison>& pairs, std::size_t first);

// Two-sided p of the difference between the means of two of several groups, with their pooled
// deviation: t = difference / (deviation sqrt(1 / n1 + 1 / n2)). None where the deviation is 0.
std::optional<double> pooled_p_value(const Estimate& a, const Estimate& b, double deviation,
                                     int degrees);

}  // namespace lockstep::reports
