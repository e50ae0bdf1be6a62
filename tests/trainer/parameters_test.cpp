// Parameters in the kernels' layouts and back, and the padding between.
#include "trainer/parameters/parameters.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/tutorial_networks.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/network/network.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr Shape kTiny{8, 8, 3, false};

NamedTensors randomized(NamedTensors weights, std::uint64_t seed) {
    RandomValues random(seed);
    for (NamedTensor& tensor : weights) tensor.values = random.floats(tensor.values.size());
    return weights;
}

// Places of an arena that belong to no weight.
std::vector<std::size_t> padding_of(const Parameters& parameters, std::size_t size) {
    const std::vector<float> zeros(size, 0.0F);
    NamedTensors marked = parameters.unpack_trainable(zeros);
    for (NamedTensor& tensor : marked)
        for (float& value : tensor.values) value = 1.0F;
    std::vector<float> arena(size, 0.0F);
    parameters.pack_trainable(marked, arena);
    std::vector<std::size_t> padding;
    for (std::size_t i = 0; i < size; ++i)
        if (arena[i] == 0.0F) padding.push_back(i);
    return padding;
}

bool is_zero_at(std::span<const float> arena, const std::vector<std::size_t>& places) {
    for (const std::size_t i : places)
        if (arena[i] != 0.0F) return false;
    return true;
}

}  // namespace

TEST_CASE("the five tutorials have Keras' numbers of parameters", "[trainer][parameters]") {
    for (const TutorialNetwork& tutorial : tutorial_networks(true)) {
        CAPTURE(tutorial.name);
        const Network network(tutorial.layers, {32, 32, 3, false}, tutorial.classes);
        std::size_t count = 0;
        for (const NamedTensor& tensor : network.parameters().weights()) {
            const auto size = std::accumulate(tensor.shape.begin(), tensor.shape.end(),
                                              std::int64_t{1}, std::multiplies<>());
            CHECK(tensor.values.size() == static_cast<std::size_t>(size));
            count += tensor.values.size();
        }
        CHECK(count == static_cast<std::size_t>(tutorial.parameters));
    }
}

TEST_CASE("weights come out as they went in, to the last bit", "[trainer][parameters]") {
    for (const TutorialNetwork& tutorial : tutorial_networks(false)) {
        Network network(tutorial.layers, {32, 32, 3, false}, tutorial.classes);
        const NamedTensors weights = randomized(network.parameters().weights(), 1);
        network.parameters().set_weights(weights);
        CHECK(network.parameters().weights() == weights);
    }
    for (const int classes : {1, 3, 4, 17}) {
        Network network(every_kind_of_layer(classes), kTiny, classes);
        const NamedTensors weights = randomized(network.parameters().weights(), 2);
        network.parameters().set_weights(weights);
        CHECK(network.parameters().weights() == weights);
    }
}

TEST_CASE("an optimizer's slot comes out as it went in", "[trainer][parameters]") {
    Network network(every_kind_of_layer(), kTiny, 4);
    std::vector<float> arena(network.parameters().trainable().size());
    const NamedTensors slot = randomized(network.parameters().unpack_trainable(arena), 3);
    network.parameters().pack_trainable(slot, arena);
    CHECK(network.parameters().unpack_trainable(arena) == slot);
    CHECK(is_zero_at(arena, padding_of(network.parameters(), arena.size())));
}

TEST_CASE("the digest tells weights apart, also by their last bit", "[trainer][parameters]") {
    Network network(every_kind_of_layer(), kTiny, 4);
    NamedTensors weights = randomized(network.parameters().weights(), 4);
    network.parameters().set_weights(weights);
    const std::string digest = network.parameters().digest();
    for (NamedTensor& tensor : weights) {
        float& value = tensor.values.back();
        const float kept = value;
        value = std::nextafter(value, std::numeric_limits<float>::infinity());
        network.parameters().set_weights(weights);
        CHECK(network.parameters().digest() != digest);
        value = kept;
    }
    network.parameters().set_weights(weights);
    CHECK(network.parameters().digest() == digest);
}

TEST_CASE("trainable parameters keep their values where they are moved to",
          "[trainer][parameters]") {
    Network network(every_kind_of_layer(), kTiny, 4);
    Parameters& parameters = network.parameters();
    const NamedTensors weights = randomized(parameters.weights(), 5);
    parameters.set_weights(weights);
    const std::string digest = parameters.digest();
    AlignedArray<float> memory(parameters.trainable().size());
    parameters.move_trainable_to(memory.span());
    CHECK(parameters.trainable().data() == memory.data());
    CHECK(parameters.weights() == weights);
    CHECK(parameters.digest() == digest);
    const NamedTensors others = randomized(weights, 6);
    parameters.set_weights(others);
    CHECK(parameters.weights() == others);
}

TEST_CASE("padding is zero and stays so through training, whatever the optimizer",
          "[trainer][parameters]") {
    const Communicator self(MPI_COMM_SELF);
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.learning_rate = 0.1, .rule = SgdConfig{.momentum = 0.9}},
          OptimizerConfig{.learning_rate = 0.01, .rule = AdamConfig{}},
          OptimizerConfig{.learning_rate = 0.01, .rule = AdamConfig{}, .weight_decay = 0.1},
          OptimizerConfig{.learning_rate = 0.01, .rule = RmspropConfig{.momentum = 0.9}}})
        for (const auto& layers : {every_kind_of_layer(), activated_layers(), gated_layers()}) {
            CAPTURE(optimizer.rule.index(), layers.front().name);
            RunConfig config = tiny_run(layers);
            config.train.optimizer = optimizer;
            const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
            Network network(config.layers, data.shape, 4);
            network.parameters().set_weights(
                initial_weights(infer_shapes(config.layers, data.shape, 4), 1));
            const auto padding =
                padding_of(network.parameters(), network.parameters().trainable().size());
            CHECK(padding.size() > 1000);  // ten channels in sixteen
            BufferPool pool;
            TrainingStep step(config, data, network, self, pool);
            std::vector<std::uint32_t> samples(45);
            std::iota(samples.begin(), samples.end(), 0U);
            for (int i = 0; i < 3; ++i)
                step.run(std::span(samples).first(i == 2 ? 13 : 16), 1, i, {});
            CHECK(is_zero_at(network.parameters().trainable(), padding));
            for (const auto& [name, values] : step.optimizer().slots()) {
                CAPTURE(name);
                CHECK(is_zero_at(values, padding));
            }
        }
}

namespace {

struct OneStep {
    NamedTensors before, after;
    StepResult result;
};

// A step on the first samples, always from the same weights.
OneStep take_one_step(const RunConfig& config) {
    const Communicator self(MPI_COMM_SELF);
    const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
    Network network(config.layers, data.shape, 4);
    BufferPool pool;
    TrainingStep step(config, data, network, self, pool);
    OneStep taken{
        .before = randomized(network.parameters().weights(), 9), .after = {}, .result = {}};
    for (NamedTensor& tensor : taken.before)
        if (tensor.name == "moving_variance")
            for (float& value : tensor.values) value = 1.0F;
    network.parameters().set_weights(taken.before);
    std::vector<std::uint32_t> samples(16);
    std::iota(samples.begin(), samples.end(), 0U);
    taken.result = step.run(samples, 1, 0, {});
    taken.after = network.parameters().weights();
    return taken;
}

RunConfig sgd_run() {
    RunConfig config = tiny_run();
    config.train.optimizer = {.learning_rate = 0.5, .rule = SgdConfig{}};
    return config;
}

bool is_statistic(const NamedTensor& tensor) { return tensor.name.starts_with("moving"); }

// move(tensor, i): what tensor t's value i is expected to have moved by, beside the plain step.
template <class Move>
void check_moves(const OneStep& found, const OneStep& plain, Move move) {
    for (std::size_t t = 0; t < plain.after.size(); ++t) {
        CAPTURE(plain.after[t].layer, plain.after[t].name);
        double worst = 0.0;
        for (std::size_t i = 0; i < plain.after[t].values.size(); ++i) {
            const double expected = static_cast<double>(plain.after[t].values[i]) + move(t, i);
            const double error = std::abs(static_cast<double>(found.after[t].values[i]) - expected);
            worst = worse_of(worst, error);
        }
        CHECK(worst < 2e-5);
    }
}

}  // namespace

TEST_CASE("weight decay takes its share of every trained tensor but those that are excluded",
          "[trainer][parameters]") {
    RunConfig config = sgd_run();
    const OneStep plain = take_one_step(config);
    config.train.optimizer.weight_decay = 0.1;
    config.train.optimizer.exclude_from_weight_decay = {"bias", "gamma"};
    const OneStep decayed = take_one_step(config);
    int decaying = 0;
    for (std::size_t t = 0; t < plain.after.size(); ++t) {
        const std::string& name = plain.after[t].name;
        if (name == "kernel" || name == "beta")
            ++decaying;
        else
            CHECK(decayed.after[t].values == plain.after[t].values);
    }
    CHECK(decaying >= 6);
    check_moves(decayed, plain, [&](std::size_t t, std::size_t i) {
        const std::string& name = plain.after[t].name;
        const bool decays = name == "kernel" || name == "beta";
        return decays ? -0.5 * 0.1 * static_cast<double>(plain.before[t].values[i]) : 0.0;
    });
}

TEST_CASE("an L2 regularizer adds to the loss and to the gradient of its kernel",
          "[trainer][parameters]") {
    RunConfig config = sgd_run();
    const OneStep plain = take_one_step(config);
    const auto l2_of = [](const std::string& layer) {
        return layer.starts_with("conv2d") ? 0.02 : layer.starts_with("dense") ? 0.07 : 0.0;
    };
    for (LayerConfig& layer : config.layers) {
        if (auto* conv = std::get_if<Conv2dConfig>(&layer.kind)) conv->kernel_l2 = 0.02;
        if (auto* dense = std::get_if<DenseConfig>(&layer.kind)) dense->kernel_l2 = 0.07;
    }
    const OneStep regularized = take_one_step(config);
    double penalty = 0.0;
    for (const NamedTensor& tensor : plain.before)
        for (const float w : tensor.values)
            if (tensor.name == "kernel")
                penalty += l2_of(tensor.layer) * static_cast<double>(w) * static_cast<double>(w);
    CHECK(penalty > 1.0);
    CHECK(regularized.result.loss_sum / 16 ==
          Approx(plain.result.loss_sum / 16 + penalty).epsilon(1e-12));
    check_moves(regularized, plain, [&](std::size_t t, std::size_t i) {
        const NamedTensor& tensor = plain.before[t];
        if (tensor.name != "kernel") return 0.0;
        return -0.5 * 2.0 * l2_of(tensor.layer) * static_cast<double>(tensor.values[i]);
    });
}

TEST_CASE("gradients of a greater norm are scaled down to it together", "[trainer][parameters]") {
    RunConfig config = sgd_run();
    for (LayerConfig& layer : config.layers)
        if (auto* conv = std::get_if<Conv2dConfig>(&layer.kind)) conv->kernel_l2 = 0.02;
    const OneStep plain = take_one_step(config);
    double squares = 0.0;
    for (std::size_t t = 0; t < plain.after.size(); ++t)
        for (std::size_t i = 0; i < plain.after[t].values.size(); ++i) {
            if (is_statistic(plain.after[t])) continue;
            const double move = static_cast<double>(plain.after[t].values[i]) -
                                static_cast<double>(plain.before[t].values[i]);
            squares += move * move / 0.25;
        }
    const double norm = std::sqrt(squares);
    config.train.optimizer.global_clipnorm = 1.01 * norm;
    CHECK(take_one_step(config).after == plain.after);
    config.train.optimizer.global_clipnorm = norm / 8.0;
    check_moves(take_one_step(config), plain, [&](std::size_t t, std::size_t i) {
        if (is_statistic(plain.after[t])) return 0.0;
        return 7.0 / 8.0 *
               (static_cast<double>(plain.before[t].values[i]) -
                static_cast<double>(plain.after[t].values[i]));
    });
}
