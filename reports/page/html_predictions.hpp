#pragma once

// What a run's predictions on the test set look like: confusion, classes, calibration, images.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_page.hpp"

namespace lockstep::reports {

// Both: `detailed` has predictions.
// Confusion, classes and calibration. With more than kConfusionClasses classes the matrix gives way
// to the most frequent confusions.
std::string html_confusion(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page);
// The first test images with what was answered, and the most confident mistakes. "" without any.
std::string html_answers(const DetailedRun& detailed, HtmlPage& page);

inline constexpr std::size_t kConfusionClasses = 20;

}  // namespace lockstep::reports
