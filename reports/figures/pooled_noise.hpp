#pragma once

// Differences between the means of several groups of seeds, tested with the scatter of all groups
// together. Computes; prints nothing.
//
// [1] H. Scheffe: The analysis of variance. Wiley, 1959. Section 3.2 (one-way layout).
// [2] S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Statist.
//     6(2):65-70, 1979. https://www.jstor.org/stable/4615733

#include <cstddef>
#include <optional>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

// The scatter of seeds within entries.
struct PooledNoise {
    std::vector<std::size_t> entries{};       // their places
    double deviation = 0.0;                   // of one run, > 0
    int degrees = 0;                          // of freedom
    double largest_deviation = 0.0;           // of one entry
    std::optional<double> unequal_p_value{};  // unequal_scatter() of the entries
};

// Of the finished entries on the test set of `first`. None unless they are three or more, each with
// two seeds or more, and these scatter.
std::optional<PooledNoise> pooled_noise(const std::vector<ArchitectureFigures>& entries,
                                        std::size_t first);

struct PooledPair {
    std::size_t first = 0;  // places of entries
    std::size_t second = 0;
    double difference = 0.0;  // second - first, of the means over all finished seeds
    Interval interval{};      // of the difference, t with the degrees of the noise
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};  // Holm's [2], over all pairs
};

// All pairs of the noise's entries, in order: t tests of the difference of two means with the
// pooled variance [1]. That finds smaller differences than a pair's own few seeds do, which each
// have to tell their own scatter; it supposes that seeds scatter alike everywhere.
std::vector<PooledPair> pooled_pairs(const std::vector<ArchitectureFigures>& entries,
                                     const PooledNoise& noise);

// Two-sided p of the difference between the means of two of several groups, with their pooled
// deviation: t = difference / (deviation sqrt(1 / n1 + 1 / n2)). None where the deviation is 0.
std::optional<double> pooled_p_value(const Estimate& a, const Estimate& b, double deviation,
                                     int degrees);

}  // namespace lockstep::reports
