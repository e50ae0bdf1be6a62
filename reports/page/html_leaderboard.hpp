#pragma once

#include <string>

#include "reports/figures/experiment_report.hpp"

namespace lockstep::reports {

// The leaderboard's section of a report's page: results, the marks of what was selected on the test
// set, then training.
std::string html_leaderboard(const ExperimentReport& report);

}  // namespace lockstep::reports
