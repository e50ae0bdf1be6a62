#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep diff FIRST SECOND`: the settings in which two runs differ, and the figures that moved,
// each with whether that is beyond seed noise. The noise comes from runs of the store that differ
// from one of the two in their seed alone.
int diff(const DiffOptions& options);

}  // namespace lockstep::pipeline
