#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep ls [EXPERIMENT]`: the runs of the store.
int ls(const LsOptions& options);

}  // namespace lockstep::pipeline
