#pragma once

// A report's sweep, and the analysis of it as a table.

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// Its settings under the shortest names that mean one key (setting_columns.hpp).
Sweep report_sweep(const ExperimentReport& report);

// One row a setting, then interactions and seeds, in words; no rows where there is none
// (tells_effects()).
storage::Table effects_in_words(const Sweep& sweep);

}  // namespace lockstep::reports
