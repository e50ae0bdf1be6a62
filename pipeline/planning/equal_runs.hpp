#pragma once

#include <span>

#include "pipeline/planning/plan.hpp"

namespace lockstep::pipeline {

// Two names must not promise two results where there is one.
// Throws SpecError for runs of one digest. Those whose data lie in two folders are left alone: what
// is in the folders is not known here.
void refuse_equal_runs(std::span<const PlannedRun> runs);

}  // namespace lockstep::pipeline
