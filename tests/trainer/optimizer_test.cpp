// Update rules against Keras' formulas, one scalar at a time in double.
#include "trainer/optimizers/optimizer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "tests/trainer/scalar_weight.hpp"
#include "trainer/optimizers/update_rules.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

TEST_CASE("20 steps of every rule are Keras' formulas, at any length", "[trainer][optimizer]") {
    for (const OptimizerConfig& config : all_rules())
        for (const std::size_t count : {0, 1, 15, 16, 17, 1003}) {
            CAPTURE(config.rule.index(), count);
            Optimizer optimizer(config, count);
            std::vector<float> weights(count, 0.0F);  // from zero: only the moves count
            std::vector<ScalarWeight> expected(count);
            for (int step = 0; step < 20; ++step) {
                const auto gradient = gradient_of_step(count, static_cast<std::uint64_t>(step));
                update_all(optimizer, gradient, rate_of_step(step), step, weights);
                for (std::size_t i = 0; i < count; ++i)
                    std::visit(
                        [&](const auto& rule) {
                            expected[i].update(rule, static_cast<double>(gradient[i]),
                                               rate_of_step(step), step + 1);
                        },
                        config.rule);
            }
            double worst = 0.0;  // relative
            for (std::size_t i = 0; i < count; ++i) {
                const double error = std::abs(static_cast<double>(weights[i]) - expected[i].w);
                const double relative = error / std::max(std::abs(expected[i].w), 1e-12);
                worst = worse_of(worst, relative);
            }
            CHECK(worst < 1e-5);
        }
}

TEST_CASE("an element's update does not depend on where it stands", "[trainer][optimizer]") {
    constexpr std::size_t kCount = 37;
    for (const OptimizerConfig& config : all_rules()) {
        CAPTURE(config.rule.index());
        RandomValues random(1);
        std::vector<float> together = random.floats(kCount), alone = together;
        Optimizer optimizer(config, kCount);
        for (int step = 0; step < 3; ++step)
            update_all(optimizer, gradient_of_step(kCount, static_cast<std::uint64_t>(step)), 0.1,
                       step, together);
        for (std::size_t i = 0; i < kCount; ++i) {
            Optimizer single(config, 1);
            for (int step = 0; step < 3; ++step) {
                const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
                update_all(single, std::span(gradient).subspan(i, 1), 0.1, step,
                           std::span(alone).subspan(i, 1));
            }
        }
        CHECK(together == alone);
    }
}

TEST_CASE("a step may update the weights piece by piece", "[trainer][optimizer]") {
    constexpr std::size_t kCount = 45;
    for (const OptimizerConfig& config : all_rules()) {
        CAPTURE(config.rule.index());
        RandomValues random(1);
        std::vector<float> at_once = random.floats(kCount), in_pieces = at_once;
        Optimizer one(config, kCount), other(config, kCount);
        for (int step = 0; step < 3; ++step) {
            const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
            update_all(one, gradient, 0.1, step, at_once);
            other.begin_step(0.1, step);
            for (const std::size_t first : {30, 0, 15})
                other.update(first, std::span(gradient).subspan(first, 15),
                             std::span(in_pieces).subspan(first, 15));
        }
        CHECK(at_once == in_pieces);
        for (std::size_t slot = 0; slot < one.slots().size(); ++slot)
            CHECK(std::ranges::equal(one.slots()[slot].second, other.slots()[slot].second));
    }
}

TEST_CASE("a weight without gradient stays: padding remains zero", "[trainer][optimizer]") {
    for (const OptimizerConfig& config : all_rules()) {
        Optimizer optimizer(config, 20);
        std::vector<float> weights(20, 0.0F);
        const std::vector<float> gradient(20, 0.0F);
        for (int step = 0; step < 5; ++step) update_all(optimizer, gradient, 0.1, step, weights);
        CHECK(weights == std::vector<float>(20, 0.0F));
    }
}

TEST_CASE("Adam's correction holds after millions of steps", "[trainer][optimizer]") {
    Optimizer optimizer({.learning_rate = 1.0, .rule = AdamConfig{}}, 1);
    std::vector<float> weights{0.0F};
    const std::vector<float> gradient{1.0F};
    update_all(optimizer, gradient, 1.0, 10'000'000, weights);  // corrections are one by then
    CHECK(weights[0] == Approx(-0.1 / (std::sqrt(0.001) + 1e-7)).epsilon(1e-5));
}

TEST_CASE("Nadam: the momenta of thousands of steps, also of a run that goes on there",
          "[trainer][optimizer]") {
    // The last is still far from 1 by then.
    for (const double beta_1 : {0.5, 0.9, 0.9999}) {
        CAPTURE(beta_1);
        const OptimizerConfig config{.learning_rate = 0.1, .rule = NadamConfig{.beta_1 = beta_1}};
        constexpr int kSteps = 9000;
        Optimizer whole(config, 1);
        std::vector<float> weights{0.0F};
        ScalarWeight expected;
        const auto gradient = [](int step) {
            return std::vector<float>{step % 3 == 0 ? 0.5F : -0.2F};
        };
        for (int step = 0; step < kSteps; ++step) {
            update_all(whole, gradient(step), 1e-3, step, weights);
            expected.update(std::get<NadamConfig>(config.rule),
                            static_cast<double>(gradient(step)[0]), 1e-3, step + 1);
        }
        CHECK(static_cast<double>(weights[0]) == Approx(expected.w).epsilon(1e-3));
        Optimizer resumed(config, 1);
        for (std::size_t slot = 0; slot < 2; ++slot)
            resumed.slots()[slot].second[0] = whole.slots()[slot].second[0];
        std::vector<float> again = weights;
        update_all(whole, gradient(kSteps), 1e-3, kSteps, weights);
        update_all(resumed, gradient(kSteps), 1e-3, kSteps, again);
        CHECK(has_bits_of(again[0], weights[0]));
    }
}

TEST_CASE("Lion: without a gradient and momentum a weight stands still; a NaN is kept",
          "[trainer][optimizer]") {
    std::vector<float> m{0.0F, -0.0F, 0.0F, 1e-30F, -1e-30F}, weights(5, 1.0F);
    const std::vector<float> gradient{0.0F, 0.0F, -0.0F, 0.0F, 0.0F};
    lion_update({0.25F, 0.9F, 0.99F}, gradient, m, weights);
    CHECK(weights == std::vector<float>{1.0F, 1.0F, 1.0F, 0.75F, 1.25F});
    m.assign(5, 1.0F);
    lion_update({0.25F, 0.9F, 0.99F}, std::vector<float>(5, std::nanf("")), m, weights);
    CHECK(std::ranges::all_of(m, [](float value) { return std::isnan(value); }));
}

TEST_CASE("each rule keeps the slots it needs, under Keras' names", "[trainer][optimizer]") {
    const auto names = [](const OptimizerConfig& config) {
        std::string text;
        Optimizer optimizer(config, 3);
        for (const auto& [name, values] : optimizer.slots()) {
            CHECK(values.size() == 3);
            text += name + " ";
        }
        return text;
    };
    const auto rules = all_rules();
    CHECK(names(rules[0]).empty());
    CHECK(names(rules[1]) == "momentum ");
    CHECK(names(rules[3]) == "momentum velocity ");
    CHECK(names(rules[5]) == "velocity ");
    CHECK(names(rules[6]) == "momentum velocity ");
    CHECK(names(rules[7]) == "momentum ");
    CHECK(names(rules[9]) == "accumulator ");
    CHECK(names(rules[11]) == "momentum velocity ");
}

namespace {

bool is_denormal(float value) { return std::fpclassify(value) == FP_SUBNORMAL; }

// Adam in float32 as Keras writes it, without a zero anywhere that IEEE 754 has not.
struct GradualAdam {
    float w = 0.0F, m = 0.0F, v = 0.0F;
    void update(const AdamStep& s, float g) {
        m = std::fma(g - m, s.one_minus_beta_1, m);
        v = std::fma(g * g - v, s.one_minus_beta_2, v);
        w -= s.rate * m / (std::sqrt(v) + s.epsilon);
    }
};

}  // namespace

TEST_CASE("slots whose gradient has died end at zero, never among the denormal numbers",
          "[trainer][optimizer]") {
    for (const OptimizerConfig& config : all_rules()) {
        if (std::holds_alternative<AdagradConfig>(config.rule)) continue;  // its only ever grows
        CAPTURE(config.rule.index());
        constexpr std::size_t kWeights = 37;
        Optimizer optimizer(config, kWeights);
        std::vector<float> weights(kWeights, 0.5F), gradient = gradient_of_step(kWeights, 0);
        bool has_denormals = false;
        for (int step = 0; step < 120'000; ++step) {
            if (step == 1) std::ranges::fill(gradient, 0.0F);
            update_all(optimizer, gradient, 0.01, step, weights);
            for (const auto& [name, values] : optimizer.slots())
                has_denormals = has_denormals || std::ranges::any_of(values, is_denormal);
        }
        CHECK_FALSE(has_denormals);
        for (const auto& [name, values] : optimizer.slots())
            CHECK(std::ranges::all_of(values, [](float value) { return value == 0.0F; }));
    }
}

TEST_CASE("Adam: a weight has the bits that it has with gradual underflow",
          "[trainer][optimizer]") {
    constexpr std::size_t kWeights = 64;
    RandomValues random(5);
    std::vector<float> weights = random.floats(kWeights, -0.1, 0.1), m(kWeights), v(kWeights);
    std::vector<GradualAdam> expected(kWeights);
    for (std::size_t i = 0; i < kWeights; ++i) expected[i].w = weights[i];
    int denormals = 0;
    for (int step = 0; step < 6000; ++step) {
        // Gradients die for a thousand steps, come back faint, then as they were.
        const float size = step % 2000 < 500 ? 1e-2F : step % 2000 < 1700 ? 0.0F : 1e-12F;
        std::vector<float> gradient = random.floats(kWeights, -1.0, 1.0);
        for (float& g : gradient) g *= size;
        const AdamStep rule{1e-3F, 0.1F, 0.001F, 1e-7F};
        adam_update(rule, gradient, m, v, weights);
        for (std::size_t i = 0; i < kWeights; ++i) {
            expected[i].update(rule, gradient[i]);
            denormals += static_cast<int>(is_denormal(expected[i].m));
        }
    }
    CHECK(denormals > 1000);  // else this shows nothing
    for (std::size_t i = 0; i < kWeights; ++i) CHECK(has_bits_of(weights[i], expected[i].w));
}

namespace {

// RMSprop without momentum, in the same way.
struct GradualRmsprop {
    float w = 0.0F, v = 0.0F;
    void update(const RmspropStep& s, float g) {
        v = std::fma(s.rho, v, (1.0F - s.rho) * (g * g));
        w -= s.learning_rate * g / std::sqrt(v + s.epsilon);
    }
};

// Of the gradients so faint that one step adds less than the least normal number to the second
// moment, nearly the largest.
float largest_faint_gradient(double one_minus_beta) {
    return static_cast<float>(0.999 * std::sqrt(double{kLeastNormal} / one_minus_beta));
}

}  // namespace

TEST_CASE("Adam: epsilon hides a faint second moment, or it is kept, about the limit between them",
          "[trainer][optimizer]") {
    const float one_minus_beta_2 = GENERATE(0.1F, 1e-3F, 1e-4F);
    // Of epsilon, as least_second_moment() explains it.
    const double limit = std::sqrt(double{kLeastNormal} / double{one_minus_beta_2}) * 0x1p25;
    for (const double factor : {0.03, 0.1, 0.3, 0.99, 1.01, 3.0, 100.0}) {
        CAPTURE(one_minus_beta_2, factor);
        const AdamStep rule{1e-3F, 0.1F, one_minus_beta_2, static_cast<float>(factor * limit)};
        const std::vector<float> gradient{largest_faint_gradient(double{one_minus_beta_2})};
        std::vector<float> m(1), v(1);
        GradualAdam expected;
        bool has_equal_moves = true;
        for (int step = 0; step < 50'000; ++step) {
            std::vector<float> weights(1, expected.w = 0.0F);  // where every bit of a move shows
            adam_update(rule, gradient, m, v, weights);
            expected.update(rule, gradient[0]);
            has_equal_moves = has_equal_moves && has_bits_of(weights[0], expected.w);
        }
        CHECK((v[0] == 0.0F) == (factor > 1.0));
        CHECK(expected.v > 0.0F);
        CHECK(has_equal_moves);
    }
}

TEST_CASE("RMSprop: epsilon hides a faint second moment, or it is kept, about the limit",
          "[trainer][optimizer]") {
    const float rho = GENERATE(0.5F, 0.9F, 0.9999F);
    const double limit = double{kLeastNormal} / double{1.0F - rho} * 0x1p25;  // of epsilon
    for (const double factor : {0.03, 0.1, 0.3, 0.99, 1.01, 3.0, 100.0}) {
        CAPTURE(rho, factor);
        const RmspropStep rule{1e-3F, rho, 0.0F, static_cast<float>(factor * limit)};
        const std::vector<float> gradient{largest_faint_gradient(double{1.0F - rho})};
        std::vector<float> v(1);
        GradualRmsprop expected;
        bool has_equal_moves = true;
        for (int step = 0; step < 50'000; ++step) {
            std::vector<float> weights(1, expected.w = 0.0F);  // where every bit of a move shows
            rmsprop_update(rule, gradient, v, {}, weights);
            expected.update(rule, gradient[0]);
            has_equal_moves = has_equal_moves && has_bits_of(weights[0], expected.w);
        }
        CHECK((v[0] == 0.0F) == (factor > 1.0));
        CHECK(expected.v > 0.0F);
        CHECK(has_equal_moves);
    }
}

TEST_CASE(
    "a second moment that a small epsilon does not hide keeps its denormal numbers, and a slot "
    "its NaN",
    "[trainer][optimizer]") {
    std::vector<float> m(5), v(5, 1e-40F), weights(5, 1.0F);
    const std::vector<float> gradient(5, 0.0F);
    adam_update({1e-3F, 0.1F, 0.001F, 1e-20F}, gradient, m, v, weights);
    CHECK(std::ranges::all_of(v, is_denormal));
    m.assign(5, std::nanf(""));
    v.assign(5, std::nanf(""));
    adam_update({1e-3F, 0.1F, 0.001F, 1e-7F}, gradient, m, v, weights);
    CHECK(std::ranges::all_of(m, [](float value) { return std::isnan(value); }));
    CHECK(std::ranges::all_of(v, [](float value) { return std::isnan(value); }));
}
