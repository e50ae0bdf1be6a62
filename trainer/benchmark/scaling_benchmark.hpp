#pragma once

// The same training on all ranks and on rank 0 alone, there also with a half and a quarter of the
// batch, in turns: what a model of the time of a step is fitted to.

#include <vector>

#include "trainer/benchmark/measured_training.hpp"
#include "trainer/benchmark/step_benchmark.hpp"

namespace lockstep::trainer {

// Seconds of a step on one rank, the others asleep.
struct LoneTiming {
    int samples = 0;
    double step = 0.0;      // whole steps
    double passes = 0.0;    // data, forward, loss, backward
    double exchange = 0.0;  // additions and update, without anybody to exchange with
};

struct ScalingBenchmark {
    // The whole batch, then, where batch and shards can be halved, a half and a quarter of both:
    // shards stay as large as they are.
    std::vector<LoneTiming> lone;
    double speedup = 1.0;  // step on one rank by step on all: median of the rounds' ratios
};

// Collective. The figures of `lone` are rank 0's, and known to all.
ScalingBenchmark benchmark_scaling(MeasuredTraining& training, const StepBenchmarkConfig& config);

}  // namespace lockstep::trainer
