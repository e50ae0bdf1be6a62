#pragma once

// What a run's predictions on the test set look like: confusion, classes, calibration, images.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_page.hpp"

namespace lockstep::reports {

// `detailed` has predictions. With more than kConfusionClasses classes the matrix gives way to the
// most frequent confusions.
std::string html_predictions(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page);

inline constexpr std::size_t kConfusionClasses = 20;

}  // namespace lockstep::reports
