#pragma once

// What the figures of a sweep suggest to try next. Computes; prints nothing.

#include <cstddef>
#include <span>
#include <vector>

#include "reports/figures/run_figures.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

// A setting whose best value is the last one on its side: the best may lie beyond.
struct EdgeSetting {
    std::size_t setting = 0;  // its place in Sweep::settings
    std::size_t level = 0;    // the best value
    bool is_largest = false;  // else the smallest
};

// Of settings of numbers, by the mean accuracy of each value. Only where the setting's effect is
// larger than seed noise, or nothing was repeated that would tell. Of a smallest value of 0 nothing
// is said: settings are not negative.
std::vector<EdgeSetting> settings_at_an_edge(const Sweep& sweep);

// Of the runs at these places those that trained all their planned epochs, two or more, and
// validated in each.
struct LastEpochs {
    std::size_t runs = 0;
    std::size_t rising = 0;  // whose validation accuracy was higher in the last one than in any
};
LastEpochs last_epochs(const std::vector<RunFigures>& runs, std::span<const std::size_t> places);

}  // namespace lockstep::reports
