#pragma once

// The report without a browser, as Markdown.

#include <string>

#include "reports/figures/experiment_report.hpp"

namespace lockstep::reports {

// Leaderboard, pairs and the state of every run. User text is escaped.
std::string markdown_report(const ExperimentReport& report);

}  // namespace lockstep::reports
