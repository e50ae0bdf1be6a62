#pragma once

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"
#include "reports/page/html_elements.hpp"

namespace lockstep::reports {

// The leaderboard's section of a report's page: results, the marks of what was selected on the test
// set, then training: as a table that is `training`.
// Where designs have one name, and are told by a hash behind it, their settings stand beside it.
std::string html_leaderboard(const ExperimentReport& report, const Sweep& sweep, Details training);

}  // namespace lockstep::reports
