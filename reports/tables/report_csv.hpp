#pragma once

// The report for programs and spreadsheets, as CSV.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// One row a run, every run, figures exact; columns in docs/report.md.
storage::Table runs_table(const ExperimentReport& report);

// One row a pair that was tested on the same images, figures exact; columns in docs/report.md.
storage::Table pairs_table(const ExperimentReport& report);

// runs_table() or pairs_table() as RFC 4180 CSV. Text that a spreadsheet would take for a formula
// (it begins with = + - @, a tab or a line break) gets a ' in front.
std::string csv_report(const ExperimentReport& report);
std::string pairs_csv(const ExperimentReport& report);

}  // namespace lockstep::reports
