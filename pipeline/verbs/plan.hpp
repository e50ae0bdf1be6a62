#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep plan FILE`: the runs the file expands to, with steps, parameters and memory.
int plan(const PlanOptions& options);

}  // namespace lockstep::pipeline
