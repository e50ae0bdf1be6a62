// What a step does with a weight beside its gradient: decay, regularizers, scaled gradients.
#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/scalar_weight.hpp"
#include "trainer/network/network.hpp"
#include "trainer/optimizers/optimizer.hpp"
#include "trainer/optimizers/weight_ranges.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

TEST_CASE("weights decay by the learning rate before every rule's step, where they shall",
          "[trainer][optimizer]") {
    constexpr std::size_t kCount = 53;
    // Between two of them, at the ends, one alone, two that touch; pieces that cut them anywhere.
    const std::vector<WeightRange> decayed{
        {0, 3, true}, {7, 1, true}, {10, 15, true}, {25, 2, true}, {40, 13, true}};
    for (OptimizerConfig config : all_rules()) {
        CAPTURE(config.rule.index());
        config.weight_decay = 0.25;
        Optimizer optimizer(config, kCount, decayed);
        RandomValues random(3);
        std::vector<float> weights = random.floats(kCount, 0.5, 1.0);
        std::vector<ScalarWeight> expected(kCount);
        for (std::size_t i = 0; i < kCount; ++i) expected[i].w = static_cast<double>(weights[i]);
        for (int step = 0; step < 20; ++step) {
            const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
            optimizer.begin_step(rate_of_step(step), step);
            for (std::size_t first = 0; first < kCount; first += 9) {
                const std::size_t count = std::min<std::size_t>(9, kCount - first);
                optimizer.update(first, std::span(gradient).subspan(first, count),
                                 std::span(weights).subspan(first, count));
            }
            for (std::size_t i = 0; i < kCount; ++i) {
                const bool decays = std::ranges::any_of(decayed, [i](const WeightRange& range) {
                    return i >= range.first && i < range.first + range.count;
                });
                if (decays) expected[i].w -= expected[i].w * 0.25 * rate_of_step(step);
                std::visit(
                    [&](const auto& rule) {
                        expected[i].update(rule, static_cast<double>(gradient[i]),
                                           rate_of_step(step), step + 1);
                    },
                    config.rule);
            }
        }
        for (std::size_t i = 0; i < kCount; ++i)
            CHECK(static_cast<double>(weights[i]) ==
                  Approx(expected[i].w).epsilon(1e-5).margin(1e-6));
    }
}

TEST_CASE("without weight decay ranges change no bit, and decay alone ends at zero",
          "[trainer][optimizer]") {
    for (OptimizerConfig config : all_rules()) {
        CAPTURE(config.rule.index());
        const std::vector<float> gradient = gradient_of_step(20, 1), none(20, 0.0F);
        std::vector<float> plain(20, -0.0F), ranged = plain, alone(20, 1e-30F);
        Optimizer first(config, 20), second(config, 20, {{0, 20, true}});
        update_all(first, gradient, 0.1, 0, plain);
        update_all(second, gradient, 0.1, 0, ranged);
        for (std::size_t i = 0; i < 20; ++i) CHECK(has_bits_of(plain[i], ranged[i]));
        config.weight_decay = 1.0;
        Optimizer decaying(config, 20, {{0, 20, true}});
        for (int step = 0; step < 60; ++step) update_all(decaying, none, 0.5, step, alone);
        CHECK(alone == none);
    }
}

TEST_CASE("a step's gradients are those of the regularizers too, and scaled together",
          "[trainer][optimizer]") {
    constexpr std::size_t kCount = 40;
    constexpr double kL2 = 0.03, kScale = 0.25;
    for (OptimizerConfig config : all_rules()) {
        CAPTURE(config.rule.index());
        config.weight_decay = 0.5;
        Optimizer optimizer(config, kCount, {{5, 20, false, kL2}, {25, 3, true, kL2}});
        RandomValues random(3);
        std::vector<float> weights = random.floats(kCount, 0.5, 1.0);
        std::vector<ScalarWeight> expected(kCount);
        for (std::size_t i = 0; i < kCount; ++i) expected[i].w = static_cast<double>(weights[i]);
        for (int step = 0; step < 10; ++step) {
            const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
            optimizer.begin_step(0.1, step);
            if (step % 2 == 0) optimizer.scale_gradients(kScale);
            optimizer.update(0, gradient, weights);
            for (std::size_t i = 0; i < kCount; ++i) {
                double g = static_cast<double>(gradient[i]);
                if (i >= 5 && i < 28) g += 2.0 * kL2 * expected[i].w;
                if (step % 2 == 0) g *= kScale;
                if (i >= 25 && i < 28) expected[i].w -= expected[i].w * 0.5 * 0.1;
                std::visit([&](const auto& rule) { expected[i].update(rule, g, 0.1, step + 1); },
                           config.rule);
            }
        }
        for (std::size_t i = 0; i < kCount; ++i)
            CHECK(static_cast<double>(weights[i]) ==
                  Approx(expected[i].w).epsilon(1e-4).margin(1e-5));
    }
}

TEST_CASE("a range is trained in its first steps alone, and its slots with it",
          "[trainer][optimizer]") {
    constexpr std::size_t kCount = 40;
    const auto steps_at = [](std::size_t i) {
        return i >= 5 && i < 25 ? 3 : i >= 30 && i < 37 ? 0 : 10;
    };
    for (OptimizerConfig config : all_rules()) {
        CAPTURE(config.rule.index());
        config.weight_decay = 0.5;
        Optimizer optimizer(config, kCount,
                            {{5, 20, true, 0.0, 1.0, 3}, {30, 7, true, 0.01, 2.0, 0}});
        RandomValues random(3);
        std::vector<float> weights = random.floats(kCount, 0.5, 1.0);
        std::vector<ScalarWeight> expected(kCount);
        for (std::size_t i = 0; i < kCount; ++i) expected[i].w = static_cast<double>(weights[i]);
        std::vector<std::vector<float>> slots_then;
        for (int step = 0; step < 6; ++step) {
            const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
            update_all(optimizer, gradient, rate_of_step(step), step, weights);
            for (std::size_t i = 0; i < kCount; ++i) {
                if (step >= steps_at(i)) continue;
                if (i >= 5 && i < 25) expected[i].w -= expected[i].w * 0.5 * rate_of_step(step);
                std::visit(
                    [&](const auto& rule) {
                        expected[i].update(rule, static_cast<double>(gradient[i]),
                                           rate_of_step(step), step + 1);
                    },
                    config.rule);
            }
            if (step == 2)
                for (const auto& [name, values] : optimizer.slots())
                    slots_then.emplace_back(values.begin(), values.end());
        }
        for (std::size_t i = 0; i < kCount; ++i)
            CHECK(static_cast<double>(weights[i]) ==
                  Approx(expected[i].w).epsilon(1e-4).margin(1e-5));
        for (std::size_t slot = 0; slot < slots_then.size(); ++slot)
            CHECK(std::ranges::equal(std::span(slots_then[slot]).subspan(5, 20),
                                     optimizer.slots()[slot].second.subspan(5, 20)));
    }
}

TEST_CASE("a range's factor is one of the learning rate, in every rule and in decay",
          "[trainer][optimizer]") {
    constexpr std::size_t kCount = 40;
    const auto factor_at = [](std::size_t i) {
        return i >= 5 && i < 25 ? 0.25 : i >= 30 && i < 37 ? 8.0 : 1.0;
    };
    for (OptimizerConfig config : all_rules()) {
        CAPTURE(config.rule.index());
        config.weight_decay = 0.5;
        Optimizer optimizer(
            config, kCount,
            {{5, 20, true, 0.0, 0.25}, {25, 5, true, 0.0, 1.0}, {30, 7, false, 0.0, 8.0}});
        RandomValues random(3);
        std::vector<float> weights = random.floats(kCount, 0.5, 1.0);
        std::vector<ScalarWeight> expected(kCount);
        for (std::size_t i = 0; i < kCount; ++i) expected[i].w = static_cast<double>(weights[i]);
        for (int step = 0; step < 10; ++step) {
            const auto gradient = gradient_of_step(kCount, static_cast<std::uint64_t>(step));
            update_all(optimizer, gradient, rate_of_step(step), step, weights);
            for (std::size_t i = 0; i < kCount; ++i) {
                const double rate = rate_of_step(step) * factor_at(i);
                if (i >= 5 && i < 30) expected[i].w -= expected[i].w * 0.5 * rate;
                std::visit(
                    [&](const auto& rule) {
                        expected[i].update(rule, static_cast<double>(gradient[i]), rate, step + 1);
                    },
                    config.rule);
            }
        }
        for (std::size_t i = 0; i < kCount; ++i)
            CHECK(static_cast<double>(weights[i]) ==
                  Approx(expected[i].w).epsilon(1e-4).margin(1e-5));
    }
}

TEST_CASE("factors of a layer and of a tensor's name multiply, and make ranges",
          "[trainer][optimizer]") {
    std::vector<LayerConfig> layers{{"flatten", FlattenConfig{}},
                                    {"a", DenseConfig{.units = 4}},
                                    {"b", DenseConfig{.units = 4}}};
    layers[1].learning_rate_factor = 0.5;
    Network network(layers, {2, 2, 3, false}, 4);
    const OptimizerConfig config{.learning_rate_factors = {{"bias", 4.0}}};
    const auto ranges = weight_ranges(config, layers, network.parameters(), 1);
    REQUIRE(ranges.size() == 3);
    const auto tensors = network.parameters().trainable_tensors();
    const double factors[] = {0.5, 2.0, 4.0};  // a's kernel, its bias, b's bias
    const std::size_t of[] = {0, 1, 3};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(ranges[i].first == tensors[of[i]].first);
        CHECK(ranges[i].count == tensors[of[i]].count);
        CHECK(ranges[i].rate_factor == factors[i]);
        CHECK_FALSE(ranges[i].decays);
    }
    layers[1].learning_rate_factor = 1.0;
    CHECK(weight_ranges({}, layers, network.parameters(), 1).empty());
}
