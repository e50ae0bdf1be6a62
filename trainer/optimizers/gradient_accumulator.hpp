#pragma once

// Gradient accumulation, as Keras does it: the weights are updated at every n-th step of the run,
// by the mean of the gradients of n steps. Steps go on counting over the ends of epochs, so that an
// epoch's last ones may wait for the next; those left at the end of the run are never used.
//
// As the optimizer's slots sums are kept in parts by the ranks, each those of the weights that it
// updates. They are sums of the steps' sums, in the order of the steps: their bits do not depend on
// the ranks, but for the price of an exchange at each step.

#include <cstddef>
#include <cstdint>
#include <span>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class GradientAccumulator {
public:
    //   steps     of an update, at least 2
    //   weights   how many are trained
    GradientAccumulator(std::int64_t steps, std::size_t weights);

    // Before the gradients of a step, which counts from 0 over the whole run. Returns whether its
    // are the last of an update.
    bool begin_step(std::int64_t step);
    // Takes up the gradient of weights first .. first + n - 1, once in a step. Returns [n], the
    // mean over the steps of the update if this is its last one.
    std::span<const float> add(std::size_t first, std::span<const float> gradient);
    // What add() has returned.
    std::span<const float> sum(std::size_t first, std::size_t count);
    // Begins anew, behind the update of those weights.
    void clear(std::size_t first, std::size_t count);

    std::span<float> values() { return sums_.span(); }

private:
    std::int64_t steps_;
    bool is_last_ = false;
    AlignedArray<float> sums_;
};

}  // namespace lockstep::trainer
