#pragma once

// An average of the weights over the steps, beside those that training goes on with. Where a run
// keeps one, it is what is validated, kept as best and final.
//
// Exponential moving average, Keras' use_ema: after each step  a += (1 - momentum) (w - a); it
// begins as the weights behind the first update. Where asked, w = a after every n-th update.
//
// Lookahead [1], where a is "slow" and w "fast": it begins as the initial weights. After every k-th
// update  a += s (w - a),  then  w = a. The optimizer's slots stay as they are. s may begin as 1
// and fall along a power of time, as [2] does it with all statistics included.
//
// As the optimizer's slots an average is kept in parts by the ranks, each those of the weights that
// it updates, and completed for an evaluation or a checkpoint; of statistics, which every rank has,
// every rank averages all.
//
// [1] M. Zhang, J. Lucas, G. Hinton, J. Ba: Lookahead optimizer: k steps forward, 1 step back.
//     NeurIPS 2019. arXiv:1907.08610
// [2] K. Jordan: 94% on CIFAR-10 in 3.29 seconds on a single GPU. 2024. arXiv:2404.00498

#include <cstddef>
#include <cstdint>
#include <span>

#include "trainer/config/train_config.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

// Of the network and the run.
struct AverageSetting {
    std::size_t constants = 0;  // statistics, and weights that are not trained
    std::int64_t steps_per_epoch = 1;
};

class WeightAverage {
public:
    //   config    one that has an average
    //   weights   that are trained
    WeightAverage(const OptimizerConfig& config, std::size_t weights,
                  const AverageSetting& setting);

    // As the initial weights.
    void begin(std::span<const float> weights, std::span<const float> constants);
    // Before the updates of a step, which counts from 0 over the whole run.
    void begin_step(std::int64_t step);
    // Of the step under way: by how much it moves towards the weights, and whether these are
    // overwritten.
    float share() const { return share_; }
    bool overwrites() const { return overwrites_; }
    // Takes up weights first .. first + n - 1 behind their update, and overwrites them if so.
    //   weights   [n], those of them
    void take(std::size_t first, std::span<float> weights);
    // The same of all constants; nothing where only weights are averaged.
    void take_constants(std::span<float> constants);

    // Puts it in the place of weights from `first` on, and them in its.
    void swap(std::size_t first, std::span<float> weights);
    void swap_constants(std::span<float> constants);

    std::span<float> weights() { return weights_.span(); }
    std::span<float> constants() { return constants_.span(); }  // empty: not averaged

private:
    void move(std::span<float> values, std::span<float> average) const;

    AverageConfig config_;
    std::int64_t steps_per_update_, steps_per_epoch_;
    float share_ = 0.0F;
    bool overwrites_ = false;
    AlignedArray<float> weights_, constants_;
};

}  // namespace lockstep::trainer
