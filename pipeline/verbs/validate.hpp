#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep validate FILE`: says OK and the plan's warnings. Throws SpecError with all problems.
int validate(const ValidateOptions& options);

}  // namespace lockstep::pipeline
