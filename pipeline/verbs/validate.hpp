#pragma once

#include "pipeline/planning/experiment_file.hpp"

namespace lockstep::pipeline {

struct ValidateOptions {
    SpecOptions spec;
};

// `lockstep validate FILE`: says OK and the plan's warnings. Throws SpecError with all problems.
int validate(const ValidateOptions& options);

}  // namespace lockstep::pipeline
