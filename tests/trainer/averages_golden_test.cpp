// Averages of the weights and accumulated gradients against Keras itself:
// tests/golden/make_average_golden.py.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/optimizers/optimizer.hpp"

using namespace lockstep::trainer;

namespace {

constexpr std::size_t kWeights = 5;
constexpr double kRounding = 5e-6;  // of two programs in float32, over 14 steps of weights about 1

std::vector<float> gradient_of(int step) {
    std::vector<float> gradient;
    for (int i = 0; i < static_cast<int>(kWeights); ++i)
        gradient.push_back(static_cast<float>((7 * step + 5 * i) % 16 - 6) / 8.0F);
    return gradient;
}

EmaConfig ema(double momentum, std::optional<std::int64_t> frequency = {}) {
    return {.momentum = momentum, .overwrite_frequency = frequency};
}

// As the script has them.
std::vector<std::pair<std::string, OptimizerConfig>> cases() {
    const SgdConfig momentum{.momentum = 0.9};
    return {
        {"ema", {.learning_rate = 0.1, .rule = momentum, .average = EmaConfig{}}},
        {"ema_overwrites", {.learning_rate = 0.05, .rule = AdamConfig{}, .average = ema(0.8, 3)}},
        {"ema_of_nothing", {.learning_rate = 0.1, .rule = SgdConfig{}, .average = ema(0.0)}},
        {"ema_for_ever", {.learning_rate = 0.1, .rule = SgdConfig{}, .average = ema(1.0)}},
        {"accumulation",
         {.learning_rate = 0.05,
          .rule = AdamConfig{},
          .weight_decay = 0.1,
          .gradient_accumulation_steps = 3}},
        {"accumulation_of_nadam",
         {.learning_rate = 0.05, .rule = NadamConfig{}, .gradient_accumulation_steps = 2}},
        {"accumulation_clipped",
         {.learning_rate = 0.1,
          .rule = SgdConfig{.momentum = 0.9, .nesterov = true},
          .global_clipnorm = 0.7,
          .gradient_accumulation_steps = 4}},
        {"ema_accumulation",
         {.learning_rate = 0.05,
          .rule = RmspropConfig{},
          .average = ema(0.9),
          .gradient_accumulation_steps = 3}},
        {"ema_accumulation_overwrites",
         {.learning_rate = 0.1,
          .rule = SgdConfig{.momentum = 0.5},
          .average = ema(0.7, 2),
          .gradient_accumulation_steps = 3}},
    };
}

std::vector<WeightRange> ranges_of(const OptimizerConfig& config) {
    if (config.weight_decay == 0.0) return {};
    return {{.first = 0, .count = kWeights, .decays = true}};
}

void take_step(Optimizer& optimizer, const OptimizerConfig& config, int step,
               std::span<float> weights) {
    const std::vector<float> gradient = gradient_of(step);
    optimizer.begin_step(config.learning_rate, step);
    if (config.global_clipnorm && optimizer.is_update()) {
        double squares = 0.0;
        for (const float g : optimizer.whole_gradient(0, gradient))
            squares += static_cast<double>(g) * static_cast<double>(g);
        optimizer.scale_gradients(std::min(1.0, *config.global_clipnorm / std::sqrt(squares)));
    }
    optimizer.update(0, gradient, weights);
}

double worst_error(std::span<const float> found, const nlohmann::json& expected) {
    REQUIRE(found.size() == expected.size());
    return lockstep::tests::worst_error(found, expected.get<std::vector<double>>());
}

}  // namespace

TEST_CASE("14 steps with averages and accumulated gradients are Keras' own",
          "[trainer][optimizer][golden]") {
    std::ifstream file(std::string(LOCKSTEP_GOLDEN_DIRECTORY) + "/averages.json");
    const nlohmann::json golden = nlohmann::json::parse(file);
    REQUIRE(golden.size() == cases().size());
    for (const auto& [name, config] : cases()) {
        CAPTURE(name);
        Optimizer optimizer(config, kWeights, ranges_of(config));
        std::vector<float> weights;
        for (std::size_t i = 1; i <= kWeights; ++i) weights.push_back(static_cast<float>(i) / 4.0F);
        const nlohmann::json& steps = golden.at(name);
        REQUIRE(steps.size() == 14);
        for (int step = 0; step < 14; ++step) {
            CAPTURE(step);
            const nlohmann::json& expected = steps[static_cast<std::size_t>(step)];
            take_step(optimizer, config, step, weights);
            CHECK(worst_error(weights, expected["weights"]) < kRounding);
            CHECK(expected.contains("average") == (optimizer.average() != nullptr));
            if (expected.contains("average"))
                CHECK(worst_error(optimizer.average()->weights(), expected["average"]) < kRounding);
            const auto slots = optimizer.slots();
            const bool accumulates =
                slots.size() > 0 && slots.back().first == "gradient_accumulator";
            CHECK(expected.contains("gradient_accumulator") == accumulates);
            if (accumulates)
                CHECK(worst_error(slots.back().second, expected["gradient_accumulator"]) <
                      kRounding);
        }
    }
}
