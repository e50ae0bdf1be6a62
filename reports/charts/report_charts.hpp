#pragma once

// The charts of a report, as plain values. Lines of more than kCurvePoints epochs are thinned
// evenly to about that many; the first and the last epoch always stay.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "reports/charts/plot.hpp"
#include "reports/figures/experiment_report.hpp"

namespace lockstep::reports {

inline constexpr std::size_t kCurvePoints = 150;

// `labels` [entries]: short names for the legends; the architectures' own unless given.
using Labels = std::span<const std::string>;

// Accuracy and loss, of validation and training: one line an architecture, the mean over its seeds,
// within the band from the lowest to the highest seed. The leading kComparedArchitectures. Charts
// without a value are left out.
std::vector<Plot> learning_curves(const ExperimentReport& report, Labels labels = {});

// Validation accuracy over seconds of training.
Plot accuracy_over_time(const ExperimentReport& report, Labels labels = {});

// Test accuracy against parameters, FLOPs of one image and seconds of training. Bars are the 95 %
// intervals of the leaderboard.
std::vector<Plot> accuracy_against_cost(const ExperimentReport& report, Labels labels = {});

// Of one run: accuracy and loss of training and validation, and dashed what the source printed; the
// loss of its steps, where they were recorded; the learning rate, where it changes.
std::vector<Plot> run_curves(const RunFigures& run,
                             std::span<const storage::StepStretch> steps = {});

// Accuracy against confidence, from predictions on the test set.
Plot reliability_diagram(const RunFigures& run, const PredictionFigures& predictions);

}  // namespace lockstep::reports
