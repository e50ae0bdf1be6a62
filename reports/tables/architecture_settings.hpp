#pragma once

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// What tells the architectures of a report apart: a row each, in the order of the leaderboard.
// Columns: architecture; layers, as "2 conv2d, flatten, dense", where the networks differ; each
// other setting that differs, under its short name. NULL where an architecture has no such setting.
storage::Table architecture_settings(const ExperimentReport& report, const Sweep& sweep);

}  // namespace lockstep::reports
