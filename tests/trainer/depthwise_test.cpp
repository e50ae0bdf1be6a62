// Convolutions of every channel by itself against plain loops, and their gradients against finite
// differences.
#include <array>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Pair = std::array<int, 2>;

void check(const DepthwiseConv2dConfig& config, const Shape& input) {
    CAPTURE(config.kernel_size[0], config.kernel_size[1], config.strides[0], config.strides[1],
            config.dilation_rate[0], config.dilation_rate[1], config.depth_multiplier,
            config.padding == Padding::same, config.use_bias,
            config.activation == Activation::relu);
    CAPTURE(input.height, input.width, input.channels);
    LayerProbeSetting setting;
    setting.config = {"depthwise_conv2d", config};
    setting.input = input;
    setting.batch = 3;
    setting.shards = 2;
    check_layer(setting);
}

}  // namespace

TEST_CASE("depthwise convolution: every kernel, stride and padding", "[trainer][layer]") {
    for (const Pair kernel_size : {Pair{1, 1}, Pair{2, 2}, Pair{3, 3}, Pair{5, 5}, Pair{3, 2}})
        for (const Pair strides : {Pair{1, 1}, Pair{2, 2}, Pair{3, 3}, Pair{1, 2}, Pair{2, 1}})
            for (const Padding padding : {Padding::valid, Padding::same})
                check({.kernel_size = kernel_size, .strides = strides, .padding = padding},
                      {7, 6, 10, false});
}

TEST_CASE("depthwise convolution: rows of more and fewer outputs than are computed at once",
          "[trainer][layer]") {
    for (const int width : {1, 2, 3, 4, 5, 8, 9, 17, 19})
        for (const int stride : {1, 2})
            for (const int size : {3, 5})
                check({.kernel_size = {size, size},
                       .strides = {stride, stride},
                       .padding = Padding::same},
                      {4, width, 3, false});
}

TEST_CASE("depthwise convolution: channels that fill blocks, overfill them and do not",
          "[trainer][layer]") {
    for (const int channels : {1, 2, 7, 8, 16, 17, 33})
        for (const int multiplier : {1, 2, 3})
            check({.kernel_size = {3, 3}, .padding = Padding::same, .depth_multiplier = multiplier},
                  {5, 4, channels, false});
}

TEST_CASE("depthwise convolution: bias and ReLU", "[trainer][layer]") {
    for (const bool use_bias : {true, false})
        for (const Activation activation : {Activation::linear, Activation::relu})
            for (const int stride : {1, 2})
                check({.kernel_size = {3, 3},
                       .strides = {stride, stride},
                       .activation = activation,
                       .use_bias = use_bias},
                      {5, 6, 10, false});
}

TEST_CASE("depthwise convolution: gaps between its taps", "[trainer][layer]") {
    for (const Pair rate : {Pair{2, 2}, Pair{1, 3}, Pair{2, 1}, Pair{9, 9}})
        for (const Pair kernel_size : {Pair{3, 3}, Pair{2, 3}, Pair{5, 5}})
            check({.kernel_size = kernel_size, .padding = Padding::same, .dilation_rate = rate},
                  {7, 6, 10, false});
    check({.kernel_size = {3, 3}, .depth_multiplier = 2, .dilation_rate = {3, 2}},
          {7, 6, 5, false});
}

TEST_CASE("depthwise convolution: images of one pixel, and kernels as large as the image",
          "[trainer][layer]") {
    for (const Padding padding : {Padding::valid, Padding::same})
        check({.kernel_size = {1, 1}, .padding = padding}, {1, 1, 17, false});
    for (const int size : {2, 3, 5})
        check({.kernel_size = {size, size}, .padding = Padding::same}, {1, 1, 16, false});
    check({.kernel_size = {4, 5}}, {4, 5, 10, false});
    check({.kernel_size = {3, 3}}, {3, 3, 16, false});
    check({.kernel_size = {3, 3}, .strides = {2, 2}}, {3, 3, 16, false});
    check({.kernel_size = {3, 3}, .strides = {2, 2}, .padding = Padding::same}, {2, 2, 16, false});
}
