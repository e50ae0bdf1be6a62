// Convolutions against plain loops with Keras' padding, and their gradients against finite
// differences.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

struct ConvolutionCase {
    std::array<int, 2> kernel_size{3, 3};
    std::array<int, 2> strides{1, 1};
    Padding padding = Padding::valid;
    int channels = 3;
    int filters = 10;
    Activation activation = Activation::linear;
    bool use_bias = true;
    Shape image{7, 6, 0, false};
    int batch = LayerProbeSetting{}.batch;
    int shards = LayerProbeSetting{}.shards;
};

void check(const ConvolutionCase& c) {
    CAPTURE(c.kernel_size[0], c.kernel_size[1], c.strides[0], c.strides[1], c.channels, c.filters,
            c.padding == Padding::same, c.use_bias, c.activation == Activation::relu);
    LayerProbeSetting setting;
    setting.input = c.image;
    setting.input.channels = c.channels;
    setting.batch = c.batch;
    setting.shards = c.shards;
    setting.config = {"conv2d", Conv2dConfig{.filters = c.filters,
                                             .kernel_size = c.kernel_size,
                                             .strides = c.strides,
                                             .padding = c.padding,
                                             .activation = c.activation,
                                             .use_bias = c.use_bias}};
    check_layer(setting);
}

}  // namespace

TEST_CASE("convolution: every kernel, stride and padding", "[trainer][layer]") {
    using Pair = std::array<int, 2>;
    for (const Pair kernel_size : {Pair{1, 1}, Pair{2, 2}, Pair{3, 3}, Pair{5, 3}, Pair{4, 1}})
        for (const Pair strides : {Pair{1, 1}, Pair{2, 2}, Pair{1, 3}})
            for (const Padding padding : {Padding::valid, Padding::same})
                check({.kernel_size = kernel_size, .strides = strides, .padding = padding});
}

TEST_CASE("convolution: channels that fill vectors, overfill them and do not", "[trainer][layer]") {
    for (const int channels : {1, 3, 4, 5, 10, 16, 20})
        for (const int filters : {1, 3, 10, 16, 20})
            check({.padding = Padding::same,
                   .channels = channels,
                   .filters = filters,
                   .image = {5, 4, 0, false}});
}

TEST_CASE("convolution: with ReLU and without a bias", "[trainer][layer]") {
    for (const bool use_bias : {true, false})
        for (const Activation activation : {Activation::linear, Activation::relu})
            for (const int channels : {3, 16})
                check({.kernel_size = {2, 2},
                       .padding = Padding::same,
                       .channels = channels,
                       .activation = activation,
                       .use_bias = use_bias});
}

TEST_CASE("convolution: shards of which some repay Winograd's filters and some do not",
          "[trainer][layer]") {
    for (const auto& [batch, shards] : {std::pair{7, 3}, std::pair{3, 2}, std::pair{3, 3}})
        for (const Activation activation : {Activation::linear, Activation::relu})
            check({.padding = Padding::same,
                   .channels = 16,
                   .filters = 16,
                   .activation = activation,
                   .image = {5, 5, 0, false},
                   .batch = batch,
                   .shards = shards});
}

TEST_CASE("convolution: images of one pixel, and kernels as large as the image",
          "[trainer][layer]") {
    check({.kernel_size = {1, 1}, .image = {1, 1, 0, false}});
    check({.padding = Padding::same, .channels = 16, .image = {1, 1, 0, false}});
    check({.kernel_size = {4, 5}, .channels = 10, .image = {4, 5, 0, false}});
}
