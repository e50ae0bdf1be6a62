#pragma once

// What is on record of a run beside its figures, each to be opened: attempts, events, command and
// environment; settings; files.

#include <string>

#include "reports/figures/run_figures.hpp"

namespace lockstep::reports {

std::string html_record(const RunFigures& run);

}  // namespace lockstep::reports
