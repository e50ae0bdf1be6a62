// The gradient of whole networks, by every weight tensor, against finite differences of a plain
// network in double. Here layers meet: fused ReLU gradients, changes of layout, padded channels.
#include <array>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

void check_network(std::vector<LayerConfig> layers, const Shape& input, int classes, int shards) {
    constexpr int kBatch = 5;
    for (LayerConfig& layer : layers)  // a network's masks are tested by themselves
        if (auto* dropout = std::get_if<DropoutConfig>(&layer.kind)) dropout->rate = 0.0;
    const Communicator self(MPI_COMM_SELF);
    NetworkProbe probe({layers, input, classes, kBatch, shards}, self);
    randomize_parameters(probe.network(), 21);
    RandomValues random(22);
    const auto images = random.floats(kBatch * static_cast<std::size_t>(input.size()));
    std::vector<Label> labels(kBatch);
    for (auto& label : labels)
        label = static_cast<std::uint8_t>(random.below(static_cast<std::uint32_t>(classes)));

    const Architecture architecture = infer_shapes(layers, input, classes);
    const NamedTensors weights = probe.network().parameters().weights();
    std::vector<Values> parameters;
    for (const NamedTensor& tensor : weights) parameters.push_back(in_double(tensor.values));
    const Values x = in_double(images);
    const auto loss = [&] {
        return plain_loss(plain_forward(layers, architecture, parameters, x, kBatch), labels,
                          classes);
    };
    const LossGradient found = probe.run(images, labels);
    CHECK(found.loss == Approx(loss()).epsilon(5e-6));
    std::size_t next = 0;  // of the trainable ones
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i].name.starts_with("moving")) continue;
        REQUIRE(next < found.gradient.size());
        check_gradient(weights[i].layer + "/" + weights[i].name, found.gradient[next++].values,
                       parameters[i], loss, 2e-4);
    }
    CHECK(next == found.gradient.size());
}

LayerConfig conv(const std::string& name, int filters, int size, Activation activation) {
    return {name, Conv2dConfig{.filters = filters,
                               .kernel_size = {size, size},
                               .padding = Padding::same,
                               .activation = activation}};
}

}  // namespace

TEST_CASE("gradient of a network with every kind of layer", "[trainer][network]") {
    for (const int shards : {1, 3, 8})
        check_network(every_kind_of_layer(), {8, 8, 3, false}, 4, shards);
}

TEST_CASE("gradient through activations that stand behind kernels", "[trainer][network]") {
    for (const int shards : {1, 3}) check_network(activated_layers(), {8, 8, 3, false}, 4, shards);
}

TEST_CASE("gradient through gates, layer normalization and rescaling", "[trainer][network]") {
    for (const int shards : {1, 3}) check_network(gated_layers(), {8, 8, 3, false}, 4, shards);
}

TEST_CASE("gradient of convolutions, pools and dense layers", "[trainer][network]") {
    check_network(plain_layers(3), {7, 9, 1, false}, 3, 2);
    check_network(plain_layers(10), {8, 8, 16, false}, 10, 2);
}

TEST_CASE("gradient where batch normalization and pooling follow a ReLU", "[trainer][network]") {
    const LayerConfig norm{"batch_normalization", BatchNormalizationConfig{}};
    const LayerConfig flatten{"flatten", FlattenConfig{}};
    const LayerConfig dense{"dense", DenseConfig{.units = 3}};
    for (const Activation activation : {Activation::relu, Activation::linear})
        for (const PoolingKind kind : {PoolingKind::max, PoolingKind::average}) {
            const LayerConfig pool{"pooling", PoolingConfig{.kind = kind, .strides = {1, 1}}};
            check_network({conv("conv2d", 10, 3, activation), norm, pool, flatten, dense},
                          {5, 5, 3, false}, 3, 3);
            check_network({conv("conv2d", 10, 3, activation), pool, norm, flatten, dense},
                          {5, 5, 3, false}, 3, 3);
            check_network({conv("conv2d", 17, 1, activation), pool,
                           conv("conv2d_1", 3, 2, activation), norm, flatten, dense},
                          {5, 5, 3, false}, 3, 3);
        }
}

TEST_CASE("gradient where images come to a pool, a norm or a flatten first", "[trainer][network]") {
    const LayerConfig norm{"batch_normalization", BatchNormalizationConfig{}};
    const LayerConfig pool{"pooling", PoolingConfig{}};
    const LayerConfig flatten{"flatten", FlattenConfig{}};
    const LayerConfig hidden{"dense", DenseConfig{.units = 7, .activation = Activation::relu}};
    const LayerConfig dense{"dense_1", DenseConfig{.units = 3}};
    const Shape image{6, 5, 3, false};
    check_network({norm, conv("conv2d", 5, 3, Activation::relu), flatten, dense}, image, 3, 2);
    check_network({pool, conv("conv2d", 5, 3, Activation::relu), flatten, dense}, image, 3, 2);
    check_network({flatten, hidden, norm, dense}, image, 3, 2);
    check_network({conv("conv2d", 10, 3, Activation::relu), flatten, norm, hidden, dense}, image, 3,
                  2);
    check_network({flatten, dense}, {1, 1, 1, false}, 3, 2);
}

TEST_CASE("gradient through every convolution to a trained layer in front", "[trainer][network]") {
    using Pair = std::array<int, 2>;
    const LayerConfig norm{"batch_normalization", BatchNormalizationConfig{}};
    const LayerConfig flatten{"flatten", FlattenConfig{}};
    const LayerConfig dense{"dense", DenseConfig{.units = 3}};
    for (const int channels : {1, 3, 5})
        for (const Pair kernel_size : {Pair{1, 1}, Pair{2, 2}, Pair{5, 3}})
            for (const Pair strides : {Pair{1, 1}, Pair{2, 1}, Pair{3, 3}})
                for (const Padding padding : {Padding::valid, Padding::same}) {
                    CAPTURE(channels, kernel_size[0], kernel_size[1], strides[0], strides[1],
                            padding == Padding::same);
                    const LayerConfig conv_layer{"conv2d", Conv2dConfig{.filters = 6,
                                                                        .kernel_size = kernel_size,
                                                                        .strides = strides,
                                                                        .padding = padding}};
                    check_network({norm, conv_layer, flatten, dense}, {6, 5, channels, false}, 3,
                                  2);
                }
}

TEST_CASE("gradient through a softmax inside a network", "[trainer][network]") {
    const LayerConfig softmax{"activation", ActivationConfig{Activation::softmax}};
    const LayerConfig hidden{"dense", DenseConfig{.units = 7, .activation = Activation::softmax}};
    const LayerConfig flatten{"flatten", FlattenConfig{}};
    const LayerConfig dense{"dense_1", DenseConfig{.units = 3}};
    check_network({conv("conv2d", 2, 3, Activation::relu), flatten, softmax, hidden, dense},
                  {3, 3, 3, false}, 3, 2);
}

TEST_CASE("gradient of networks without a dense layer, which end in a flatten",
          "[trainer][network]") {
    const LayerConfig flatten{"flatten", FlattenConfig{}};
    const LayerConfig softmax{"activation", ActivationConfig{Activation::softmax}};
    const auto whole_image = [](int filters, int size) {
        return LayerConfig{"conv2d_1",
                           Conv2dConfig{.filters = filters, .kernel_size = {size, size}}};
    };
    // Classes that do not fill a block of channels: the loss must not see the padding.
    check_network({conv("conv2d", 5, 3, Activation::relu), whole_image(3, 4), flatten, softmax},
                  {4, 4, 3, false}, 3, 2);
    check_network({whole_image(3, 6), flatten}, {6, 6, 3, false}, 3, 2);
    check_network({conv("conv2d", 1, 3, Activation::linear), flatten}, {2, 2, 3, false}, 4, 2);
}
