#pragma once

// Where the time of a training step goes (`lockstep bench step`): whole steps, steps with a clock
// around every call of their plan, and every call alone, in turns. Ratios are of figures of one
// round, because a machine's speed changes from second to second; medians over the rounds.

#include <string>
#include <vector>

#include "trainer/benchmark/measured_training.hpp"
#include "trainer/benchmark/resident_memory.hpp"

namespace lockstep::trainer {

struct StepBenchmarkConfig {
    int steps = 10;   // of a round, >= 1
    int rounds = 7;   // >= 1
    int repeats = 3;  // of a call that is measured alone, >= 1
};

// All calls of one kind on one layer, in one pass of rank 0.
struct WorkTiming {
    std::string layer;  // the first one, where a kernel does several
    bool is_backward = false;
    std::string work;         // Work::what
    bool is_meeting = false;  // ranks meet in it
    int products = 0;         // Work::products
    bool leaves_products = false;
    int calls = 0;  // a step
    double seconds = 0.0;
    double alone_seconds = 0.0;  // where ranks meet: when all of them come together
    // Of the products, 2 a multiply-add, for the rank's samples.
    double flops = 0.0;
};

// Seconds of a step; means over the ranks.
struct StepShares {
    double compute = 0.0;     // the calls of the plan, and the loss
    double statistics = 0.0;  // exchange of batch statistics
    double exchange = 0.0;    // of gradients, and the update
    double data = 0.0;
    double waiting = 0.0;  // for ranks that come later, where they meet

    double sum() const { return compute + statistics + exchange + data + waiting; }
};

struct StepBenchmark {
    int batch = 0;              // samples of a step, over all ranks
    double step_seconds = 0.0;  // of whole steps
    double clock_ratio = 0.0;   // steps with clocks by whole steps: what measuring costs
    StepShares shares;
    std::vector<WorkTiming> works;  // in the order in which they are first done
    double update_seconds = 0.0;    // of rank 0: summing the gradients and updating, with waiting
    double update_alone_seconds = 0.0;
    // Whole steps by the sum of all kernels alone, that of the update among them; by the parts of a
    // step: all calls alone, data, loss, exchange and update, the ranks coming together.
    double step_by_kernels = 0.0;
    double step_by_parts = 0.0;
    double fma_peak = 0.0;               // flops in a second of rank 0's core
    std::vector<ResidentMemory> memory;  // by rank, after the first steps
};

// Collective. Throws NonFiniteLoss, on all ranks, if training diverges.
StepBenchmark benchmark_step(MeasuredTraining& training, const StepBenchmarkConfig& config);

}  // namespace lockstep::trainer
