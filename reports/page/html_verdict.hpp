#pragma once

// What a reader has to know before any table: who won, whether that is real, and what the figures
// are figures of.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

// The first sentences of the page; "" without runs.
std::string html_verdict(const ExperimentReport& report, const Sweep& sweep);

// That the first of a board was chosen by the figures it is ranked by; "" where few were compared,
// and where validation chooses the same one.
std::string html_selection(const ExperimentReport& report);

}  // namespace lockstep::reports
