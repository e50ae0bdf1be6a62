#pragma once

// Which runs a comparison is about.

#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// What report, compare, diff and the end of `run` compare: the runs that are shown, and beside them
// every other run of the experiments in which an architecture of `asked` stands. An experiment's
// runs are those in its list, whoever trained them.
//   shown   ids, some of `asked`: what a filter has left of them
//   asked   ids
reports::ReportedRuns reported_runs(const storage::RunDatabase& database,
                                    std::vector<std::string> shown,
                                    const std::vector<std::string>& asked);

}  // namespace lockstep::pipeline
