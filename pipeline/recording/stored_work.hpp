#pragma once

// What a store knows of the work of experiments, for how long it will still take.

#include <set>
#include <string>
#include <vector>

#include "reports/figures/work_left.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// Of all runs in the lists of these experiments, as they are (run_state.hpp), each once: several
// may list one.
std::vector<reports::RunWork> works_of(const storage::RunDatabase& database,
                                       const std::set<std::string>& experiments);

}  // namespace lockstep::pipeline
