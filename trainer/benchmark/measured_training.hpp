#pragma once

// A training in memory whose steps are measured: nothing of it is told, evaluated or kept.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/benchmark/measuring_walkers.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/training_step.hpp"

namespace lockstep::trainer {

// Where the seconds of a step go, on one rank.
struct StepParts {
    double data = 0.0;        // gathering and scaling the rank's samples
    double compute = 0.0;     // calls of the plan in which ranks do not meet
    double statistics = 0.0;  // those in which they do: batch statistics
    double loss = 0.0;
    double exchange = 0.0;  // of gradients, and the update

    double sum() const { return data + compute + statistics + loss + exchange; }
};

struct ClockedSteps {
    StepParts parts;            // seconds a step
    std::vector<double> calls;  // likewise: of the forward, then of the backward pass
};

// Seconds a step of each part made again and again, with what it reads in the cache.
struct AloneSteps {
    std::vector<double> calls;  // as of ClockedSteps; 0 for those in which ranks meet
    double update = 0.0;        // summing and updating, all ranks together
};

// How ranks come to a call in which they meet, and to the exchange.
enum class Meeting {
    as_in_training,  // waiting for each other is part of its time
    together,        // they have waited before
};

class MeasuredTraining {
public:
    // From initial weights. `data` and `comm` must outlive it. Collective.
    MeasuredTraining(const RunConfig& config, const RunData& data, const Communicator& comm);

    // Seconds a step of whole steps, as a training makes them. Collective, as those below.
    double plain(int steps);
    // With a clock around every call.
    ClockedSteps clocked(int steps, Meeting meeting);
    // Every call and the update alone, made `repeats` times. Leaves weights and slots as they were;
    // what repeated calls leave is no gradient.
    AloneSteps alone(int steps, int repeats);

    StepPlan& plan() { return step_.plan(); }
    std::vector<PlannedStep> calls();  // of the forward, then of the backward pass
    const Network& network() const { return network_; }
    const RunConfig& config() const { return config_; }
    const RunData& data() const { return data_; }
    const Communicator& comm() const { return comm_; }
    int batch() { return plan().geometry().batch; }

private:
    void step(bool is_undone = false);
    double update_alone(int repeats);
    std::span<const std::uint32_t> next_samples();

    const RunConfig config_;
    const RunData& data_;
    const Communicator& comm_;
    Network network_;
    BufferPool pool_;
    TrainingStep step_;
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;  // in order_
    std::int64_t steps_taken_ = 0;
};

}  // namespace lockstep::trainer
