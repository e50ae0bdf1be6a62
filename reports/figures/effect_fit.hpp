#pragma once

// Least-squares fits of an analysis of variance: the sum of squares that a part of the model adds
// to the others. By orthonormal vectors (Gram-Schmidt, twice over), so that columns that others
// already span are found and left out.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "reports/figures/effects.hpp"

namespace lockstep::reports {

struct Fit {
    double squares = 0.0;
    int degrees = 0;
};

// `centred` [runs]: values minus their mean.

// All main effects together.
Fit squares_of_all(std::span<const Factor> factors, std::span<const double> centred);
// What one factor adds to all others.
Fit squares_of_factor(std::span<const Factor> factors, std::size_t which,
                      std::span<const double> centred);
// What the interaction of one pair of factors adds to all main effects and all other pairs.
Fit squares_of_pair(std::span<const Factor> factors,
                    std::span<const std::pair<std::size_t, std::size_t>> pairs, std::size_t which,
                    std::span<const double> centred);

}  // namespace lockstep::reports
