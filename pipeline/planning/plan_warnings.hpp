#pragma once

#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"

namespace lockstep::pipeline {

// plan_notes() for the start of a training, a line each: of a warning that several runs have, the
// first of them and how many more. Nothing of initial weights that are not there: their run is
// refused, in more words.
std::vector<std::string> plan_warnings(const Plan& plan);

}  // namespace lockstep::pipeline
