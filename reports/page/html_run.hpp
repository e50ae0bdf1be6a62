#pragma once

// The section of one run in a report's page.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_page.hpp"

namespace lockstep::reports {

// `predictions`: whether what is known of the predictions is shown at once.
std::string html_run(const RunFigures& run, const DetailedRun& detailed, Details predictions,
                     HtmlPage& page);

}  // namespace lockstep::reports
