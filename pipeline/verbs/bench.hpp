#pragma once

// The verbs below `bench` that need ranks: they measure on the ranks they are in, or start their
// own. All return the exit code.

#include <optional>

#include "pipeline/ranks/launcher.hpp"
#include "pipeline/verbs/bench_allreduce.hpp"
#include "pipeline/verbs/bench_step.hpp"

namespace lockstep::pipeline {

struct BenchAllreduceOptions {
    BenchOptions benchmark;
    std::optional<int> ranks;  // unset: one per core
};

// `lockstep bench allreduce`
int bench(const BenchAllreduceOptions& options, ProcessArguments arguments);
// `lockstep bench step`
int bench(const BenchStepOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
