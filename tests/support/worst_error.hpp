#pragma once

// Errors, where one that is no number counts as the worst: std::max() passes over it.

#include <cmath>
#include <cstddef>

namespace lockstep::tests {

inline double worse_of(double worst, double error) {
    return std::isnan(worst) || error <= worst ? worst : error;
}

// The largest |found - expected| of two lists of one length.
template <class Found, class Expected>
double worst_error(const Found& found, const Expected& expected) {
    double worst = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i)
        worst = worse_of(
            worst, std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
    return worst;
}

}  // namespace lockstep::tests
