#pragma once

// Keras' update rules for one weight, in double, and what tests of optimizers feed them.

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/support/random_values.hpp"
#include "trainer/optimizers/optimizer.hpp"

namespace lockstep::tests {

using trainer::AdagradConfig;
using trainer::AdamConfig;
using trainer::LionConfig;
using trainer::MuonConfig;
using trainer::NadamConfig;
using trainer::Optimizer;
using trainer::OptimizerConfig;
using trainer::RmspropConfig;
using trainer::SgdConfig;

// One weight with its slots. Formulas: keras.optimizers, Keras 3.
struct ScalarWeight {
    double w = 0.0, m = 0.0, v = 0.0;
    double product = 1.0;  // of Nadam's momenta

    void update(const SgdConfig& sgd, double g, double rate, int) {
        m = sgd.momentum * m - rate * g;
        w += sgd.nesterov ? sgd.momentum * m - rate * g : m;
    }
    void update(const AdamConfig& adam, double g, double rate, int t) {
        m = adam.beta_1 * m + (1.0 - adam.beta_1) * g;
        v = adam.beta_2 * v + (1.0 - adam.beta_2) * g * g;
        const double alpha =
            rate * std::sqrt(1.0 - std::pow(adam.beta_2, t)) / (1.0 - std::pow(adam.beta_1, t));
        w -= alpha * m / (std::sqrt(v) + adam.epsilon);
    }
    void update(const RmspropConfig& rmsprop, double g, double rate, int) {
        v = rmsprop.rho * v + (1.0 - rmsprop.rho) * g * g;
        const double step = rate * g / std::sqrt(v + rmsprop.epsilon);
        m = rmsprop.momentum * m + step;
        w -= m;
    }
    void update(const LionConfig& lion, double g, double rate, int) {
        const double direction = lion.beta_1 * m + (1.0 - lion.beta_1) * g;
        w -= direction > 0.0 ? rate : direction < 0.0 ? -rate : 0.0;
        m = lion.beta_2 * m + (1.0 - lion.beta_2) * g;
    }
    void update(const AdagradConfig& adagrad, double g, double rate, int t) {
        if (t == 1) v = adagrad.initial_accumulator_value;
        v += g * g;
        w -= rate * g / std::sqrt(v + adagrad.epsilon);
    }
    // One that is no matrix: AdamW's.
    void update(const MuonConfig& muon, double g, double rate, int t) {
        update(AdamConfig{muon.adam_beta_1, muon.adam_beta_2, muon.epsilon}, g,
               rate * muon.adam_lr_ratio, t);
    }
    void update(const NadamConfig& nadam, double g, double rate, int t) {
        const auto momentum = [&](int step) {
            return nadam.beta_1 * (1.0 - 0.5 * std::pow(0.96, step));
        };
        product *= momentum(t);
        m += (g - m) * (1.0 - nadam.beta_1);
        v += (g * g - v) * (1.0 - nadam.beta_2);
        const double m_hat = momentum(t + 1) * m / (1.0 - product * momentum(t + 1)) +
                             (1.0 - momentum(t)) * g / (1.0 - product);
        const double v_hat = v / (1.0 - std::pow(nadam.beta_2, t));
        w -= m_hat * rate / (std::sqrt(v_hat) + nadam.epsilon);
    }
};

inline std::vector<OptimizerConfig> all_rules() {
    return {
        {.learning_rate = 0.1, .rule = SgdConfig{}},
        {.learning_rate = 0.1, .rule = SgdConfig{.momentum = 0.9}},
        {.learning_rate = 0.1, .rule = SgdConfig{.momentum = 0.9, .nesterov = true}},
        {.learning_rate = 0.1, .rule = AdamConfig{}},
        {.learning_rate = 0.1, .rule = AdamConfig{.beta_1 = 0.5, .beta_2 = 0.9, .epsilon = 1e-3}},
        {.learning_rate = 0.1, .rule = RmspropConfig{}},
        {.learning_rate = 0.1, .rule = RmspropConfig{.rho = 0.5, .momentum = 0.9, .epsilon = 1e-4}},
        {.learning_rate = 0.1, .rule = LionConfig{}},
        {.learning_rate = 0.1, .rule = LionConfig{.beta_1 = 0.5, .beta_2 = 0.0}},
        {.learning_rate = 0.1, .rule = AdagradConfig{}},
        {.learning_rate = 0.1,
         .rule = AdagradConfig{.initial_accumulator_value = 0.0, .epsilon = 1e-4}},
        {.learning_rate = 0.1, .rule = NadamConfig{}},
        {.learning_rate = 0.1, .rule = NadamConfig{.beta_1 = 0.5, .beta_2 = 0.9, .epsilon = 1e-3}},
        {.learning_rate = 0.1, .rule = NadamConfig{.beta_1 = 0.0}}};
}

// Gradients of very different sizes, about the epsilons too, where their place shows.
inline std::vector<float> gradient_of_step(std::size_t count, std::uint64_t step) {
    RandomValues random(100 + step);
    std::vector<float> gradient = random.floats(count, 0.2, 1.0);
    const float sizes[] = {1.0F, -1e-2F, 1e-4F, -1e-7F, 0.0F};
    for (std::size_t i = 0; i < count; ++i) gradient[i] *= sizes[i % 5];
    return gradient;
}

inline bool has_bits_of(float value, float expected) {
    return std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(expected);
}

inline double rate_of_step(int step) { return 0.1 / (1.0 + step); }

inline void update_all(Optimizer& optimizer, std::span<const float> gradient, double learning_rate,
                       std::int64_t step, std::span<float> weights) {
    optimizer.begin_step(learning_rate, step);
    optimizer.update(0, gradient, weights);
}

}  // namespace lockstep::tests
