#pragma once

#include "pipeline/launcher.hpp"
#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep run FILE`: trains what is not yet finished. Under mpirun or srun with the ranks it is
// in; otherwise it starts its own, or with one rank trains in this process.
// Returns the exit code. Throws what cannot be told by it, for main.
int run(const RunOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
