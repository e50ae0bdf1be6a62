#pragma once

#include "pipeline/planning/experiment_file.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct PlanOptions {
    SpecOptions spec;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep plan FILE`: the runs the file expands to, with steps, parameters and memory.
int plan(const PlanOptions& options);

}  // namespace lockstep::pipeline
