#pragma once

#include "pipeline/launcher.hpp"
#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep bench allreduce`: measures the exchanges on the ranks it is in, or starts its own.
int bench(const BenchAllreduceOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
