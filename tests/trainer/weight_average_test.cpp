// Averages of the weights: the steps at which they move, by how much, and what stays exact.
#include "trainer/optimizers/weight_average.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/optimizers/optimizer.hpp"
#include "trainer/optimizers/update_rules.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr std::size_t kCount = 37;  // fills no vector

OptimizerConfig looking_ahead(const LookaheadConfig& lookahead, std::int64_t accumulated = 1) {
    return {.learning_rate = 0.1,
            .rule = SgdConfig{},
            .average = lookahead,
            .gradient_accumulation_steps = accumulated};
}

}  // namespace

// Zhang et al., algorithm 1, in double: phi are the slow weights, theta the fast ones.
TEST_CASE("lookahead: k steps forward, one step back", "[trainer][optimizer]") {
    for (const std::int64_t accumulated : {1, 2}) {
        CAPTURE(accumulated);
        const OptimizerConfig config =
            looking_ahead({.sync_period = 3, .slow_step_size = 0.3}, accumulated);
        RandomValues random(1);
        std::vector<float> weights = random.floats(kCount);
        std::vector<double> phi(weights.begin(), weights.end()), theta = phi;
        Optimizer optimizer(config, kCount);
        optimizer.average()->begin(weights, {});
        int updates = 0;
        for (int step = 0; step < 20; ++step) {
            CAPTURE(step);
            const std::vector<float> gradient = random.floats(kCount);
            optimizer.begin_step(0.1, step);
            optimizer.update(0, gradient, weights);
            for (std::size_t i = 0; i < kCount; ++i)
                theta[i] -=
                    0.1 / static_cast<double>(accumulated) * static_cast<double>(gradient[i]);
            const bool is_update = (step + 1) % accumulated == 0;
            if (is_update && ++updates % 3 == 0)
                for (std::size_t i = 0; i < kCount; ++i)
                    theta[i] = phi[i] += 0.3 * (theta[i] - phi[i]);
            if (is_update) CHECK(worst_error(weights, theta) < 2e-6);
            CHECK(worst_error(optimizer.average()->weights(), phi) < 2e-6);
        }
        CHECK(updates > 6);
    }
}

// Its decay = 0.95^5 (t/T)^3 every 5 steps, ema = decay ema + (1 - decay) w: legacy/airbench94.py
// of KellerJordan/cifar10-airbench.
TEST_CASE("lookahead: the step falls along a power of time, and then stays",
          "[trainer][optimizer]") {
    const double last = 1.0 - std::pow(0.95, 5);
    constexpr std::int64_t kStepsPerEpoch = 48;
    const OptimizerConfig config =
        looking_ahead({.sync_period = 5, .slow_step_size = last, .power = 3.0, .over_epochs = 2.5});
    WeightAverage average(config, 1, {.constants = 0, .steps_per_epoch = kStepsPerEpoch});
    for (int step = 0; step < 200; ++step) {
        CAPTURE(step);
        average.begin_step(step);
        const double part = std::min(1.0, (step + 1) / 120.0);
        const double expected = 1.0 - std::pow(0.95, 5) * std::pow(part, 3.0);
        const bool is_sync = (step + 1) % 5 == 0;
        CHECK(average.overwrites() == is_sync);
        CHECK(static_cast<double>(average.share()) ==
              Approx(is_sync ? expected : 0.0).epsilon(1e-6));
    }
}

TEST_CASE("statistics are averaged where asked, and nothing else that is not trained",
          "[trainer][optimizer]") {
    for (const bool with_statistics : {false, true}) {
        const OptimizerConfig config = looking_ahead(
            {.sync_period = 1, .slow_step_size = 0.25, .moving_statistics = with_statistics});
        WeightAverage average(config, 0, {.constants = 3, .steps_per_epoch = 1});
        const std::vector<float> begin{1.0F, 0.3F, 1e-40F};  // the last two do not change
        std::vector<float> now{5.0F, 0.3F, 1e-40F};
        average.begin({}, begin);
        average.begin_step(0);
        average.take_constants(now);
        CHECK(now == std::vector<float>{with_statistics ? 2.0F : 5.0F, 0.3F, 1e-40F});
        CHECK(average.constants().size() == (with_statistics ? 3 : 0));
        now[0] = 7.0F;
        average.swap_constants(now);
        CHECK(now[0] == (with_statistics ? 2.0F : 7.0F));
        average.swap_constants(now);
        CHECK(now[0] == 7.0F);
    }
}

TEST_CASE("an average in the weights' place, and back", "[trainer][optimizer]") {
    WeightAverage average({.average = EmaConfig{}}, 4, {});
    average.begin(std::vector<float>{1, 2, 3, 4}, {});
    std::vector<float> part{8, 9};
    average.swap(1, part);
    CHECK(part == std::vector<float>{2, 3});
    CHECK(std::ranges::equal(average.weights(), std::vector<float>{1, 8, 9, 4}));
    average.swap(1, part);
    CHECK(part == std::vector<float>{8, 9});
}

TEST_CASE("an average moves by its share: all the way, not at all, and never past what is equal",
          "[trainer][optimizer]") {
    RandomValues random(7);
    const std::vector<float> from = random.floats(kCount), to = random.floats(kCount);
    for (const float share : {0.0F, 0.01F, 0.3F, 0.5F, 0.9F, 1.0F}) {
        CAPTURE(share);
        std::vector<float> moved = from, still = to;
        move_average(share, to, moved);
        std::vector<double> expected;
        for (std::size_t i = 0; i < kCount; ++i)
            expected.push_back(static_cast<double>(from[i]) +
                               static_cast<double>(share) *
                                   (static_cast<double>(to[i]) - static_cast<double>(from[i])));
        CHECK(worst_error(moved, expected) < 1e-7);
        if (share == 0.0F) CHECK(moved == from);
        if (share == 1.0F) CHECK(moved == to);
        move_average(share, to, still);
        CHECK(still == to);
    }
}

TEST_CASE("an average of a weight that has died ends at zero, never among the denormal numbers",
          "[trainer][optimizer]") {
    std::vector<float> average(kCount, 1.0F);
    const std::vector<float> dead(kCount, 0.0F);
    for (int step = 0; step < 20'000; ++step) move_average(0.01F, dead, average);
    CHECK(average == dead);
    average.back() = std::numeric_limits<float>::quiet_NaN();
    move_average(0.01F, dead, average);
    CHECK(std::isnan(average.back()));
}
