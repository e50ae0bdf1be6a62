#pragma once

// The section of one run in a report's page.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_page.hpp"

namespace lockstep::reports {

std::string html_run(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page);

}  // namespace lockstep::reports
