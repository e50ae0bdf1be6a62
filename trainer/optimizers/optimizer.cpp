#include "trainer/optimizers/optimizer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {

namespace {

struct SlotUse {
    bool first = false;
    bool second = false;
};

SlotUse slots_of(const SgdConfig& sgd) { return {sgd.momentum != 0.0, false}; }
SlotUse slots_of(const AdamConfig&) { return {true, true}; }
SlotUse slots_of(const RmspropConfig& rmsprop) { return {rmsprop.momentum != 0.0, true}; }

SgdStep step_of(const SgdConfig& sgd, double learning_rate, std::int64_t) {
    return {static_cast<float>(learning_rate), static_cast<float>(sgd.momentum), sgd.nesterov};
}

// The two bias corrections of Adam as one factor; in double, since 1 - 0.999^t starts at 1e-3.
double bias_correction(const AdamConfig& adam, std::int64_t step) {
    const auto t = static_cast<double>(step + 1);
    return std::sqrt(1.0 - std::pow(adam.beta_2, t)) / (1.0 - std::pow(adam.beta_1, t));
}

AdamStep step_of(const AdamConfig& adam, double learning_rate, std::int64_t step) {
    return {static_cast<float>(learning_rate * bias_correction(adam, step)),
            static_cast<float>(1.0 - adam.beta_1), static_cast<float>(1.0 - adam.beta_2),
            static_cast<float>(adam.epsilon)};
}

RmspropStep step_of(const RmspropConfig& rmsprop, double learning_rate, std::int64_t) {
    return {static_cast<float>(learning_rate), static_cast<float>(rmsprop.rho),
            static_cast<float>(rmsprop.momentum), static_cast<float>(rmsprop.epsilon)};
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::size_t weights,
                     std::vector<WeightRange> ranges)
    : config_(config), ranges_(std::move(ranges)) {
    const SlotUse use = std::visit([](const auto& rule) { return slots_of(rule); }, config.rule);
    const auto slot = [weights] {
        return in_memory_for("a slot of the optimizer", weights * sizeof(float),
                             [&] { return AlignedArray<float>(weights); });
    };
    if (use.first) first_ = slot();
    if (use.second) second_ = slot();
}

namespace {

float rate_of(const SgdStep& step) { return step.learning_rate; }
float rate_of(const AdamStep& step) { return step.rate; }
float rate_of(const RmspropStep& step) { return step.learning_rate; }

}  // namespace

void Optimizer::begin_step(double learning_rate, std::int64_t step) {
    std::visit([&](const auto& rule) { step_ = step_of(rule, learning_rate, step); }, config_.rule);
    const float rate = std::visit([](const auto& rule) { return rate_of(rule); }, step_);
    decay_ = static_cast<float>(learning_rate * config_.weight_decay);
    gradient_scale_ = 1.0F;
    digest(rate);
}

void Optimizer::scale_gradients(double factor) {
    gradient_scale_ = static_cast<float>(factor);
    digest(gradient_scale_);
}

void Optimizer::digest(float factor) {
    constexpr std::uint64_t kFnvPrime = 0x100000001B3;
    rates_digest_ = (rates_digest_ ^ std::bit_cast<std::uint32_t>(factor)) * kFnvPrime;
}

void Optimizer::update(std::size_t first, std::span<const float> gradient,
                       std::span<float> weights) {
    for_each_range(ranges_, first, weights.size(),
                   [&](std::size_t begin, std::size_t count, const WeightRange* range) {
                       update_range(begin, gradient.subspan(begin - first, count),
                                    weights.subspan(begin - first, count), range);
                   });
}

void Optimizer::update_range(std::size_t first, std::span<const float> gradient,
                             std::span<float> weights, const WeightRange* range) {
    WeightTerms terms{.gradient_scale = gradient_scale_};
    if (range != nullptr && range->decays) terms.decay = decay_;
    if (range != nullptr) terms.l2_slope = static_cast<float>(2.0 * range->l2);
    std::visit([&](auto& step) { step.terms = terms; }, step_);
    const auto part_of = [&](AlignedArray<float>& slot) {
        return slot.size() == 0 ? std::span<float>() : slot.span().subspan(first, weights.size());
    };
    const std::span<float> momentum = part_of(first_), velocity = part_of(second_);
    if (const auto* sgd = std::get_if<SgdStep>(&step_))
        sgd_update(*sgd, gradient, momentum, weights);
    else if (const auto* adam = std::get_if<AdamStep>(&step_))
        adam_update(*adam, gradient, momentum, velocity, weights);
    else
        rmsprop_update(std::get<RmspropStep>(step_), gradient, velocity, momentum, weights);
}

std::vector<std::pair<std::string, std::span<float>>> Optimizer::slots() {
    std::vector<std::pair<std::string, std::span<float>>> slots;
    if (first_.size() > 0) slots.emplace_back("momentum", first_.span());
    if (second_.size() > 0) slots.emplace_back("velocity", second_.span());
    return slots;
}

namespace {

double shape_at(const ConstantSchedule&, double) { return 1.0; }
double shape_at(const StepSchedule& s, double epochs) {
    return std::pow(s.factor, std::floor(epochs / s.every_epochs));
}
double shape_at(const ExponentialSchedule& s, double epochs) {
    return std::pow(s.factor, epochs / s.every_epochs);
}
double shape_at(const CosineSchedule& s, double epochs) {
    const double progress = std::min(1.0, epochs / s.over_epochs);
    const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    return s.final_factor + (1.0 - s.final_factor) * cosine;
}
double shape_at(const PiecewiseSchedule& s, double epochs) {
    const auto next = std::ranges::upper_bound(s.epochs, epochs);
    const auto pieces = static_cast<std::size_t>(next - s.epochs.begin());
    return pieces == 0 ? 1.0 : s.factors[pieces - 1];
}
double shape_at(const OneCycleSchedule& s, double epochs) {
    const double peak = s.peak_at * s.over_epochs;
    if (epochs < peak) return s.start_factor + (1.0 - s.start_factor) * epochs / peak;
    if (epochs >= s.over_epochs) return s.final_factor;
    return 1.0 - (1.0 - s.final_factor) * (epochs - peak) / (s.over_epochs - peak);
}
double shape_at(const PlateauSchedule&, double) { return 1.0; }

}  // namespace

double learning_rate_at(double base, const ScheduleConfig& schedule, std::int64_t step,
                        std::int64_t steps_per_epoch) {
    const double epochs = static_cast<double>(step) / static_cast<double>(steps_per_epoch);
    const double shape =
        std::visit([&](const auto& s) { return shape_at(s, epochs); }, schedule.shape);
    const double warmup_steps = schedule.warmup_epochs * static_cast<double>(steps_per_epoch);
    const double warmup =
        warmup_steps > 0.0 ? std::min(1.0, (static_cast<double>(step) + 1.0) / warmup_steps) : 1.0;
    return base * shape * warmup;
}

}  // namespace lockstep::trainer
