#pragma once

// The report without a browser: its tables, as Markdown for people and as CSV for programs.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// Leaderboard, pairs and the state of every run, as Markdown. User text is escaped.
std::string markdown_report(const ExperimentReport& report);

// One row a run, every run, figures exact; columns in docs/report.md.
storage::Table runs_table(const ExperimentReport& report);

// runs_table() as RFC 4180 CSV. Text that a spreadsheet would take for a formula (it begins with
// = + - @, a tab or a line break) gets a ' in front.
std::string csv_report(const ExperimentReport& report);

}  // namespace lockstep::reports
