#include "trainer/optimizers/weight_average.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "trainer/config/out_of_memory.hpp"
#include "trainer/optimizers/update_rules.hpp"

namespace lockstep::trainer {
namespace {

struct Time {
    std::int64_t step;              // from 0
    std::int64_t steps_per_update;  // gradients are accumulated over them
    std::int64_t steps_per_epoch;
};

// What a step does to an average.
struct AverageStep {
    double share = 0.0;  // by which it moves towards the weights
    bool overwrites = false;
};

AverageStep step_of(const std::monostate&, const Time&) { return {}; }

// As Keras: the average moves at every step, also where the weights wait for an update, and all
// steps of an update overwrite them.
AverageStep step_of(const EmaConfig& ema, const Time& time) {
    const std::int64_t update = time.step / time.steps_per_update;  // from 0
    const bool overwrites = ema.overwrite_frequency && (update + 1) % *ema.overwrite_frequency == 0;
    return {update == 0 ? 1.0 : 1.0 - ema.momentum, overwrites};
}

AverageStep step_of(const LookaheadConfig& lookahead, const Time& time) {
    const std::int64_t steps = time.step + 1;
    if (steps % (time.steps_per_update * lookahead.sync_period) != 0) return {};
    const double epochs = static_cast<double>(steps) / static_cast<double>(time.steps_per_epoch);
    const double part = std::min(1.0, epochs / lookahead.over_epochs);
    return {1.0 - (1.0 - lookahead.slow_step_size) * std::pow(part, lookahead.power), true};
}

bool has_statistics(const OptimizerConfig& config) {
    const auto* lookahead = std::get_if<LookaheadConfig>(&config.average);
    return lookahead != nullptr && lookahead->moving_statistics;
}

AlignedArray<float> array_of(std::size_t floats) {
    return in_memory_for("the average of the weights", floats * sizeof(float),
                         [&] { return AlignedArray<float>(floats); });
}

}  // namespace

WeightAverage::WeightAverage(const OptimizerConfig& config, std::size_t weights,
                             const AverageSetting& setting)
    : config_(config.average),
      steps_per_update_(config.gradient_accumulation_steps),
      steps_per_epoch_(setting.steps_per_epoch),
      weights_(array_of(weights)),
      constants_(array_of(has_statistics(config) ? setting.constants : 0)) {}

void WeightAverage::begin(std::span<const float> weights, std::span<const float> constants) {
    std::ranges::copy(weights, weights_.span().begin());
    if (constants_.size() > 0) std::ranges::copy(constants, constants_.span().begin());
}

void WeightAverage::begin_step(std::int64_t step) {
    const Time time{step, steps_per_update_, steps_per_epoch_};
    const AverageStep one =
        std::visit([&](const auto& config) { return step_of(config, time); }, config_);
    share_ = static_cast<float>(one.share);
    overwrites_ = one.overwrites;
}

void WeightAverage::take(std::size_t first, std::span<float> weights) {
    move(weights, weights_.span().subspan(first, weights.size()));
}

void WeightAverage::take_constants(std::span<float> constants) {
    if (constants_.size() > 0) move(constants, constants_.span());
}

void WeightAverage::move(std::span<float> values, std::span<float> average) const {
    if (share_ != 0.0F) move_average(share_, values, average);
    if (overwrites_) std::ranges::copy(average, values.begin());
}

void WeightAverage::swap(std::size_t first, std::span<float> weights) {
    std::ranges::swap_ranges(weights, weights_.span().subspan(first, weights.size()));
}

void WeightAverage::swap_constants(std::span<float> constants) {
    if (constants_.size() > 0) std::ranges::swap_ranges(constants, constants_.span());
}

}  // namespace lockstep::trainer
