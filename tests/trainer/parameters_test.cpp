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
          OptimizerConfig{.learning_rate = 0.01, .rule = RmspropConfig{.momentum = 0.9}}}) {
        CAPTURE(optimizer.rule.index());
        RunConfig config = tiny_run();
        config.train.optimizer = optimizer;
        const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
        Network network(config.layers, data.shape, 4);
        network.parameters().set_weights(
            initial_weights(config.layers, infer_shapes(config.layers, data.shape, 4), 1));
        const auto padding =
            padding_of(network.parameters(), network.parameters().trainable().size());
        CHECK(padding.size() > 1000);  // ten channels in sixteen
        BufferPool pool;
        TrainingStep step(config, data, network, self, pool);
        std::vector<std::uint32_t> samples(45);
        std::iota(samples.begin(), samples.end(), 0U);
        for (int i = 0; i < 3; ++i) step.run(std::span(samples).first(i == 2 ? 13 : 16), 1, i, {});
        CHECK(is_zero_at(network.parameters().trainable(), padding));
        for (const auto& [name, values] : step.optimizer().slots()) {
            CAPTURE(name);
            CHECK(is_zero_at(values, padding));
        }
    }
}

namespace {

// All weights after one step on the first samples, from the same ones.
NamedTensors after_one_step(const OptimizerConfig& optimizer, NamedTensors* before) {
    RunConfig config = tiny_run();
    config.train.optimizer = optimizer;
    const Communicator self(MPI_COMM_SELF);
    const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
    Network network(config.layers, data.shape, 4);
    BufferPool pool;
    TrainingStep step(config, data, network, self, pool);
    *before = randomized(network.parameters().weights(), 9);
    for (NamedTensor& tensor : *before)
        if (tensor.name == "moving_variance")
            for (float& value : tensor.values) value = 1.0F;
    network.parameters().set_weights(*before);
    std::vector<std::uint32_t> samples(16);
    std::iota(samples.begin(), samples.end(), 0U);
    step.run(samples, 1, 0, {});
    return network.parameters().weights();
}

}  // namespace

TEST_CASE("weight decay takes its share of every trained tensor but those that are excluded",
          "[trainer][parameters]") {
    OptimizerConfig optimizer{.learning_rate = 0.5, .rule = SgdConfig{}};
    NamedTensors before;
    const NamedTensors plain = after_one_step(optimizer, &before);
    optimizer.weight_decay = 0.1;
    optimizer.exclude_from_weight_decay = {"bias", "gamma"};
    const NamedTensors decayed = after_one_step(optimizer, &before);
    int decaying = 0;
    for (std::size_t t = 0; t < plain.size(); ++t) {
        CAPTURE(plain[t].layer, plain[t].name);
        const bool decays = plain[t].name == "kernel" || plain[t].name == "beta";
        decaying += decays;
        for (std::size_t i = 0; i < plain[t].values.size(); ++i) {
            const float expected = plain[t].values[i] - (decays ? 0.05F * before[t].values[i] : 0);
            CHECK(decayed[t].values[i] == Approx(expected).margin(decays ? 1e-5 : 0.0));
        }
    }
    CHECK(decaying >= 6);
}
