#pragma once

// The optimizer of a run: an update rule and the slots it keeps beside the weights.
//
// Slots are never exchanged: every rank computes them from the same summed gradient, so they stay
// equal on all of them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class Optimizer {
public:
    Optimizer(const OptimizerConfig& config, std::size_t weights);

    // One update. `step` counts from 0 over the whole run.
    void update(std::span<const float> gradient, double learning_rate, std::int64_t step,
                std::span<float> weights);

    // Keras' names of the slots and their values, each as long as the weights.
    std::vector<std::pair<std::string, std::span<float>>> slots();

private:
    OptimizerConfig config_;
    AlignedArray<float> first_;   // momentum: SGD's, Adam's m, RMSprop's accumulated moves
    AlignedArray<float> second_;  // velocity: Adam's v, RMSprop's v
};

// The learning rate of a step.
//   step   from 0, over the whole run
double learning_rate_at(const OptimizerConfig& optimizer, const ScheduleConfig& schedule,
                        std::int64_t step, std::int64_t steps_per_epoch);

}  // namespace lockstep::trainer
