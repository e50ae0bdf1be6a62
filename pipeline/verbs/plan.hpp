#pragma once

#include <optional>

#include "pipeline/planning/experiment_file.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct PlanOptions {
    SpecOptions spec;
    std::optional<int> ranks;  // that the plan is for; unset: one per core
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep plan FILE`: the runs the file expands to, with steps, parameters and memory;
// for people also whether they should go side by side, by an estimate.
int plan(const PlanOptions& options);

}  // namespace lockstep::pipeline
