#pragma once

// Drawings of a sweep as SVG (docs/report.md). Runs are coloured by outcome_colors() of their
// accuracies; the classes q0 to q4 are the page's. An element of a run has its place among all runs
// as data-run, for the page's script.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/figures/run_figures.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

inline constexpr std::size_t kSweepAxes = 8;     // settings in charts
inline constexpr std::size_t kSweepLines = 200;  // runs in charts

// The places in Sweep::runs of those that are drawn: all, or kSweepLines of them evenly by accuracy
// with the lowest and the highest; by accuracy, lowest first.
std::vector<std::size_t> drawn_runs(const Sweep& sweep);

// A line a run over one axis a setting, the first kSweepAxes in reverse, so that the one that tells
// most stands beside the last axis, the test accuracy. Within a value lines lie side by side, the
// best on top.
std::string svg_parallel_coordinates(const Sweep& sweep, const std::vector<RunFigures>& runs);

// Test accuracy against one setting: a point a drawn run, a bar at the mean of each value over
// all runs, joined where values are numbers. All settings share the vertical axis.
//   chance   the accuracy of guessing: a dotted line, where it lies among the values
std::string svg_accuracy_by_setting(const Sweep& sweep, const std::vector<RunFigures>& runs,
                                    std::size_t setting, std::optional<double> chance);

}  // namespace lockstep::reports
