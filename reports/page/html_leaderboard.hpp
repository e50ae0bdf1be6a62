#pragma once

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_elements.hpp"

namespace lockstep::reports {

// The leaderboard's section of a report's page: results, the marks of what was selected on the test
// set, then training: as a table that is `training`.
std::string html_leaderboard(const ExperimentReport& report, Details training = Details::open);

}  // namespace lockstep::reports
