#pragma once

// The report as one HTML page that needs nothing beside it: no network, no server, and no script to
// be read. A strict content-security policy names its own style and scripts by their hashes, so
// that nothing a user wrote can run even if escaping should fail.

#include <string>

#include "reports/figures/experiment_report.hpp"

namespace lockstep::reports {

std::string html_report(const ExperimentReport& report);

}  // namespace lockstep::reports
