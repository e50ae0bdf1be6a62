#pragma once

#include "pipeline/planning/plan.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// A table of the plan's runs in their order, with the settings that a sweep changes behind the
// first column: those in which runs of one name in the file differ, by the shortest end of their
// keys. Names of many settings have only a hash of them. Not those that a column is called like
// already.
storage::Table with_swept_settings(storage::Table table, const Plan& plan);

}  // namespace lockstep::pipeline
