#pragma once

#include <optional>

#include "pipeline/ranks/launcher.hpp"
#include "pipeline/verbs/bench_allreduce.hpp"

namespace lockstep::pipeline {

struct BenchAllreduceOptions {
    BenchOptions benchmark;
    std::optional<int> ranks;  // unset: one per core
};

// `lockstep bench allreduce`: measures the exchanges on the ranks it is in, or starts its own.
int bench(const BenchAllreduceOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
