#include "trainer/optimizers/optimizer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {

namespace {

// Keras' names of the slots that a rule keeps; null: it does not.
struct SlotNames {
    const char* first = nullptr;
    const char* second = nullptr;
};

constexpr const char* kMomentum = "momentum";
constexpr const char* kVelocity = "velocity";

SlotNames slots_of(const SgdConfig& sgd) {
    return {sgd.momentum != 0.0 ? kMomentum : nullptr, nullptr};
}
SlotNames slots_of(const AdamConfig&) { return {kMomentum, kVelocity}; }
SlotNames slots_of(const RmspropConfig& rmsprop) {
    return {rmsprop.momentum != 0.0 ? kMomentum : nullptr, kVelocity};
}
SlotNames slots_of(const LionConfig&) { return {kMomentum, nullptr}; }
SlotNames slots_of(const AdagradConfig&) { return {nullptr, "accumulator"}; }
SlotNames slots_of(const NadamConfig&) { return {kMomentum, kVelocity}; }
SlotNames slots_of(const MuonConfig&) { return {kMomentum, kVelocity}; }
SlotNames slots_of(const OptimizerConfig& config) {
    return std::visit([](const auto& rule) { return slots_of(rule); }, config.rule);
}

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

LionStep step_of(const LionConfig& lion, double learning_rate, std::int64_t) {
    return {static_cast<float>(learning_rate), static_cast<float>(lion.beta_1),
            static_cast<float>(lion.beta_2)};
}

AdagradStep step_of(const AdagradConfig& adagrad, double learning_rate, std::int64_t) {
    return {static_cast<float>(learning_rate), static_cast<float>(adagrad.epsilon)};
}

// Nadam's momentum of step t, which counts from 1.
double momentum_of_nadam(double beta_1, double t) {
    return beta_1 * (1.0 - 0.5 * std::pow(0.96, t));
}

// The product of the momenta of steps 1 to t, in their order from the first on: no state to resume.
double momenta_of_nadam(double beta_1, std::int64_t t) {
    constexpr double kLeast = 0x1p-54;  // 1 less so much is 1
    double product = 1.0, decay = 1.0;
    std::int64_t i = 1;
    for (; i <= t && decay > kLeast; ++i) {
        decay *= 0.96;
        product *= beta_1 * (1.0 - 0.5 * decay);
    }
    return product * std::pow(beta_1, static_cast<double>(t - i + 1));  // all others are beta_1
}

NadamStep step_of(const NadamConfig& nadam, double learning_rate, std::int64_t step) {
    const auto t = static_cast<double>(step + 1);
    const double now = momentum_of_nadam(nadam.beta_1, t);
    const double next = momentum_of_nadam(nadam.beta_1, t + 1.0);
    const double product = momenta_of_nadam(nadam.beta_1, step + 1);
    return {static_cast<float>(learning_rate * next / (1.0 - product * next)),
            static_cast<float>(learning_rate * (1.0 - now) / (1.0 - product)),
            static_cast<float>(1.0 / (1.0 - std::pow(nadam.beta_2, t))),
            static_cast<float>(1.0 - nadam.beta_1),
            static_cast<float>(1.0 - nadam.beta_2),
            static_cast<float>(nadam.epsilon)};
}

MuonStep step_of(const MuonConfig& muon, double learning_rate, std::int64_t step) {
    const AdamConfig adam{muon.adam_beta_1, muon.adam_beta_2, muon.epsilon};
    return {static_cast<float>(learning_rate), static_cast<float>(muon.momentum), muon.nesterov,
            step_of(adam, learning_rate * muon.adam_lr_ratio, step)};
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::size_t weights,
                     std::vector<WeightRange> ranges, const AverageSetting& average)
    : config_(config), ranges_(std::move(ranges)) {
    const SlotNames names = slots_of(config);
    const auto slot = [weights] {
        return in_memory_for("a slot of the optimizer", weights * sizeof(float),
                             [&] { return AlignedArray<float>(weights); });
    };
    if (names.first != nullptr) first_ = slot();
    if (names.second != nullptr) second_ = slot();
    if (const auto* adagrad = std::get_if<AdagradConfig>(&config.rule))
        std::ranges::fill(second_.span(), static_cast<float>(adagrad->initial_accumulator_value));
    if (config.gradient_accumulation_steps > 1)
        accumulator_.emplace(config.gradient_accumulation_steps, weights);
    if (has_average(config)) average_.emplace(config, weights, average);
}

namespace {

// What of a step was computed for it alone.
template <class Step, class Visit>
void for_each_rate(const Step& step, Visit visit) {
    if constexpr (requires { step.learning_rate; }) visit(step.learning_rate);
    if constexpr (requires { step.rate; }) visit(step.rate);
    if constexpr (requires { step.m_rate; }) {
        visit(step.m_rate);
        visit(step.g_rate);
        visit(step.v_factor);
    }
    if constexpr (requires { step.adam; }) for_each_rate(step.adam, visit);
}

template <class Step>
void scale_rate(Step& step, float factor) {
    if constexpr (requires { step.learning_rate; }) step.learning_rate *= factor;
    if constexpr (requires { step.rate; }) step.rate *= factor;
    if constexpr (requires { step.m_rate; }) {
        step.m_rate *= factor;
        step.g_rate *= factor;
    }
    if constexpr (requires { step.adam; }) scale_rate(step.adam, factor);
}

// What a rule updates a piece of: weights, and the slots it has.
struct Piece {
    std::span<const float> gradient;
    std::span<float> first, second, weights;
    std::span<const float> directions;  // empty: none are taken
};

void apply(const SgdStep& step, const Piece& p) {
    sgd_update(step, p.gradient, p.first, p.weights);
}
void apply(const AdamStep& step, const Piece& p) {
    adam_update(step, p.gradient, p.first, p.second, p.weights);
}
void apply(const RmspropStep& step, const Piece& p) {
    rmsprop_update(step, p.gradient, p.second, p.first, p.weights);
}
void apply(const LionStep& step, const Piece& p) {
    lion_update(step, p.gradient, p.first, p.weights);
}
void apply(const AdagradStep& step, const Piece& p) {
    adagrad_update(step, p.gradient, p.second, p.weights);
}
void apply(const NadamStep& step, const Piece& p) {
    nadam_update(step, p.gradient, p.first, p.second, p.weights);
}
void apply(const MuonStep& step, const Piece& p) {
    if (!p.directions.empty()) return muon_update(step, p.directions, p.weights);
    AdamStep adam = step.adam;
    adam.terms = step.terms;
    adam_update(adam, p.gradient, p.first, p.second, p.weights);
}

}  // namespace

// Schedules go by steps, rules by updates, as in Keras.
void Optimizer::begin_step(double learning_rate, std::int64_t step) {
    step_number_ = step;
    is_update_ = !accumulator_ || accumulator_->begin_step(step);
    whole_until_ = 0;
    begin_update(learning_rate, step / config_.gradient_accumulation_steps);
    if (!average_) return;
    average_->begin_step(step);
    digest(average_->share());
}

void Optimizer::begin_update(double learning_rate, std::int64_t update) {
    std::visit([&](const auto& rule) { step_ = step_of(rule, learning_rate, update); },
               config_.rule);
    decay_ = adam_decay_ = static_cast<float>(learning_rate * config_.weight_decay);
    if (const auto* muon = std::get_if<MuonConfig>(&config_.rule))
        adam_decay_ = static_cast<float>(learning_rate * muon->adam_weight_decay);
    gradient_scale_ = 1.0F;
    std::visit([&](const auto& rule) { for_each_rate(rule, [&](float rate) { digest(rate); }); },
               step_);
}

std::span<const float> Optimizer::whole_gradient(std::size_t first,
                                                 std::span<const float> gradient) {
    const bool is_asked_again = first < whole_until_;
    whole_until_ = std::max(whole_until_, first + gradient.size());
    if (!accumulator_) return gradient;
    return is_asked_again ? accumulator_->sum(first, gradient.size())
                          : accumulator_->add(first, gradient);
}

void Optimizer::scale_gradients(double factor) {
    gradient_scale_ = static_cast<float>(factor);
    digest(gradient_scale_);
}

void Optimizer::digest(float factor) {
    constexpr std::uint64_t kFnvPrime = 0x100000001B3;
    rates_digest_ = (rates_digest_ ^ std::bit_cast<std::uint32_t>(factor)) * kFnvPrime;
}

void Optimizer::take_directions(std::size_t first, std::span<const float> gradient,
                                std::span<const float> weights) {
    auto step = std::get<MuonStep>(step_);
    for_each_range(ranges_, first, weights.size(),
                   [&](std::size_t begin, std::size_t count, const WeightRange* range) {
                       if (range == nullptr || !range->takes_muon) return;
                       if (!range->is_trained_at(step_number_)) return;
                       step.terms = terms_of(range);
                       trainer::take_directions(step, gradient.subspan(begin - first, count),
                                                weights.subspan(begin - first, count),
                                                first_.span().subspan(begin, count),
                                                directions_.subspan(begin, count));
                   });
}

WeightTerms Optimizer::terms_of(const WeightRange* range) const {
    WeightTerms terms{.gradient_scale = gradient_scale_};
    if (range == nullptr) return terms;
    if (range->decays)
        terms.decay =
            (range->takes_muon ? decay_ : adam_decay_) * static_cast<float>(range->rate_factor);
    terms.l2_slope = static_cast<float>(2.0 * range->l2);
    return terms;
}

void Optimizer::update(std::size_t first, std::span<const float> gradient,
                       std::span<float> weights) {
    if (accumulator_)
        gradient = whole_until_ > 0 ? accumulator_->sum(first, gradient.size())
                                    : accumulator_->add(first, gradient);
    if (is_update_)
        for_each_range(ranges_, first, weights.size(),
                       [&](std::size_t begin, std::size_t count, const WeightRange* range) {
                           update_range(begin, gradient.subspan(begin - first, count),
                                        weights.subspan(begin - first, count), range);
                       });
    if (is_update_ && accumulator_) accumulator_->clear(first, gradient.size());
    if (average_) average_->take(first, weights);
}

void Optimizer::update_range(std::size_t first, std::span<const float> gradient,
                             std::span<float> weights, const WeightRange* range) {
    if (range != nullptr && !range->is_trained_at(step_number_)) return;
    const WeightTerms terms = terms_of(range);
    const float factor = range == nullptr ? 1.0F : static_cast<float>(range->rate_factor);
    const auto part_of = [&](AlignedArray<float>& slot) {
        return slot.size() == 0 ? std::span<float>() : slot.span().subspan(first, weights.size());
    };
    Piece piece{gradient, part_of(first_), part_of(second_), weights, {}};
    if (range != nullptr && range->takes_muon)
        piece.directions = directions_.subspan(first, weights.size());
    std::visit(
        [&](auto step) {  // a copy, for this range
            step.terms = terms;
            if (factor != 1.0F) scale_rate(step, factor);
            apply(step, piece);
        },
        step_);
}

std::vector<std::pair<std::string, std::span<float>>> Optimizer::slots() {
    std::vector<std::pair<std::string, std::span<float>>> slots;
    const SlotNames names = slots_of(config_);
    if (names.first != nullptr) slots.emplace_back(names.first, first_.span());
    if (names.second != nullptr) slots.emplace_back(names.second, second_.span());
    if (accumulator_) slots.emplace_back("gradient_accumulator", accumulator_->values());
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
