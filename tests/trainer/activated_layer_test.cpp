// Activations that no kernel of a layer computes along: as layers, and behind convolutions and
// dense layers.
#include <array>
#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/plain_activation.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/layers/activation.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

void check(const LayerConfig& config, const Shape& input, int batch) {
    LayerProbeSetting setting;
    setting.config = config;
    setting.input = input;
    setting.batch = batch;
    check_layer(setting);
}

}  // namespace

TEST_CASE("activations as layers, on images and on vectors", "[trainer][layer]") {
    for (const Activation activation : kElementwiseActivations)
        for (const int channels : {1, 7, 16, 17})
            for (const int batch : {1, 5}) {
                CAPTURE(static_cast<int>(activation), channels, batch);
                const LayerConfig config{"activation", ActivationConfig{activation}};
                check(config, {3, 5, channels, false}, batch);
                check(config, {1, 1, channels, true}, batch);
            }
}

TEST_CASE("activations of convolutions and dense layers", "[trainer][layer]") {
    for (const Activation activation : kElementwiseActivations)
        for (const int channels : {1, 7, 16, 17}) {
            CAPTURE(static_cast<int>(activation), channels);
            check({"conv2d",
                   Conv2dConfig{
                       .filters = channels, .kernel_size = {2, 3}, .activation = activation}},
                  {4, 5, 3, false}, 5);
            check({"dense", DenseConfig{.units = channels, .activation = activation}},
                  {1, 1, 9, true}, 5);
        }
}

// A plan of evaluation writes an activation over what it reads, and keeps padding zero.
TEST_CASE("activations in evaluation, behind a folded normalization too", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(3);
    const Shape input{5, 4, 3, false};
    const auto images = random.floats(4 * static_cast<std::size_t>(input.size()));
    for (const Activation activation : kElementwiseActivations) {
        CAPTURE(static_cast<int>(activation));
        const std::vector<LayerConfig> layers{
            {"conv2d", Conv2dConfig{.filters = 17, .activation = activation}},
            {"conv2d_1", Conv2dConfig{.filters = 7, .kernel_size = {3, 3}}},
            {"batch_normalization", BatchNormalizationConfig{}},
            {"activation", ActivationConfig{activation}},
            {"flatten", FlattenConfig{}},
            {"dense", DenseConfig{.units = 3, .activation = activation}}};
        Network network(layers, input, 3);
        randomize_parameters(network, 4);
        const auto outputs = [&](int shard) {
            PlanSetting setting;
            setting.geometry = {4, 0, 4, {}};
            for (int first = 0; first < 4; first += shard)
                setting.geometry.shards.push_back({first, shard});
            StepClocks clocks;
            BufferPool pool;
            StepPlan plan(network, setting, comm, clocks, pool);
            relayout(interleaved(input), images.data(), network.input(), plan.input(), 4);
            plan.forward({});
            return std::vector<float>(plan.logits().begin(), plan.logits().end());
        };
        CHECK(outputs(1) == outputs(4));
    }
}

TEST_CASE("only what a layer's kernels leave out stands behind it", "[trainer][layer]") {
    const auto behind = [](Activation activation) {
        const Activation of_conv = activation_behind({"c", Conv2dConfig{.activation = activation}});
        CHECK(activation_behind({"d", DenseConfig{.activation = activation}}) == of_conv);
        CHECK(activation_behind({"a", ActivationConfig{activation}}) == Activation::linear);
        return of_conv;
    };
    for (const Activation activation : kElementwiseActivations)
        CHECK(behind(activation) == activation);
    for (const Activation activation : {Activation::linear, Activation::relu, Activation::softmax})
        CHECK(behind(activation) == Activation::linear);
}
