#pragma once

#include <optional>

#include "pipeline/planning/experiment_file.hpp"
#include "reports/tables/table_format.hpp"
#include "trainer/benchmark/step_benchmark.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

struct BenchStepOptions {
    SpecOptions spec;
    std::optional<int> ranks;  // unset: one per core, at most one per shard
    trainer::StepBenchmarkConfig measuring;
    // Of the network of the nodes that the prediction is for; by default plain Ethernet.
    double latency_us = 20.0;      // of a message, >= 0
    double bandwidth_gbit = 10.0;  // Gbit/s a node and direction, > 0
    reports::TableFormat format = reports::TableFormat::table;
};

// The ranks that `bench step` starts on so many cores. Throws what reading the file throws, and
// Failure (kExitBadSpec) where a run has fewer shards.
int ranks_for(const BenchStepOptions& options, int cores);

// `lockstep bench step FILE`: trains each run of the file in memory, on all ranks of `world`, and
// tells where the time of a step goes. Nothing is stored. Where CIFAR-10 is wanted and is not
// there, and --data does not name it, synthetic images stand for it. Rank 0 prints, for all runs,
//
//   steps    images/s; the shares of computing, batch statistics, exchange with update, data and
//            waiting, which add up to 1; the step by its kernels alone; memory of the largest rank
//   layers   time a step of every layer, direction and piece of work, and its share of the FMA peak
//   scaling  the time of a step on 1, 2, 4, ... nodes by the model of step_cost.hpp, beside what
//            could be measured
//
// benchmarks/README.md tells every column. CSV is the table `layers` alone. Collective. Returns the
// exit code. Throws AgreedFailure on every rank, or another error on one: the caller ends the job.
int bench_step(const BenchStepOptions& options, const trainer::Communicator& world);

}  // namespace lockstep::pipeline
