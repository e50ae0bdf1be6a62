#pragma once

#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"

namespace lockstep::reports {

// The report's title: its experiment's, or the names of several.
std::string title_text(const ExperimentReport& report);

// "Experiment sweep.", "Experiments a, b: 12 of their 36 runs, where momentum = 0.9."
std::string scope_text(const ExperimentReport& report);

// The first experiment and the further ones.
std::vector<storage::ExperimentRow> experiments_of(const ExperimentReport& report);

}  // namespace lockstep::reports
