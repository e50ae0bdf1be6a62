#pragma once

// Who won, as the report says it, for the terminal.

#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// These runs against each other; beside them stands what reported_runs() says.
//   asked   ids of all that were asked for, before a filter
reports::ExperimentReport comparison_of(const storage::RunDatabase& database,
                                        const std::vector<reports::RunFigures>& shown,
                                        const std::vector<std::string>& asked);

// The first sentences of the report, a line each paragraph. "" where fewer than two architectures
// are compared.
std::string verdict_lines(const reports::ExperimentReport& report);

}  // namespace lockstep::pipeline
