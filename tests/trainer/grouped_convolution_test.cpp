// Convolutions in groups, and with gaps between their taps, against plain loops; their gradients
// against finite differences.
#include <array>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Pair = std::array<int, 2>;

void check(const Conv2dConfig& config, const Shape& input) {
    CAPTURE(config.kernel_size[0], config.kernel_size[1], config.strides[0], config.strides[1],
            config.filters, config.groups, config.dilation_rate[0], config.dilation_rate[1],
            config.padding == Padding::same, config.use_bias,
            config.activation == Activation::relu);
    CAPTURE(input.height, input.width, input.channels);
    LayerProbeSetting setting;
    setting.config = {"conv2d", config};
    setting.input = input;
    setting.batch = 3;
    setting.shards = 2;
    check_layer(setting);
}

}  // namespace

TEST_CASE("convolution in groups: of one channel, parts of blocks, whole blocks and odd ones",
          "[trainer][layer]") {
    struct Case {
        int groups, channels, filters;
    };
    for (const Case& c : {Case{2, 2, 2},
                          {2, 4, 2},
                          {3, 3, 6},
                          {3, 6, 9},
                          {2, 32, 32},
                          {4, 64, 32},
                          {4, 16, 16},
                          {8, 32, 64},
                          {3, 48, 96},
                          {5, 20, 20},
                          {7, 7, 7},
                          {7, 7, 14},
                          {16, 16, 16},
                          {17, 17, 17},
                          {16, 16, 48},
                          {2, 34, 14}})
        for (const int size : {1, 3})
            check({.filters = c.filters,
                   .kernel_size = {size, size},
                   .padding = Padding::same,
                   .groups = c.groups},
                  {3, 4, c.channels, false});
}

TEST_CASE("convolution in groups: strides, padding, bias, ReLU, small images", "[trainer][layer]") {
    check({.filters = 9, .kernel_size = {3, 3}, .activation = Activation::relu, .groups = 3},
          {7, 6, 6, false});
    for (const int channels : {12, 32})
        for (const Padding padding : {Padding::valid, Padding::same})
            for (const int stride : {1, 2})
                check({.filters = 2 * channels,
                       .kernel_size = {3, 3},
                       .strides = {stride, stride},
                       .padding = padding,
                       .use_bias = stride == 1,
                       .groups = 2},
                      {5, 4, channels, false});
    check({.filters = 8, .kernel_size = {3, 3}, .padding = Padding::same, .groups = 4},
          {1, 1, 8, false});
    check({.filters = 8, .kernel_size = {4, 5}, .groups = 2}, {4, 5, 8, false});
}

TEST_CASE("convolution with gaps between its taps", "[trainer][layer]") {
    for (const Pair rate : {Pair{2, 2}, Pair{1, 3}, Pair{2, 1}, Pair{9, 9}})
        for (const Pair kernel_size : {Pair{3, 3}, Pair{2, 2}, Pair{5, 3}, Pair{1, 1}})
            for (const int channels : {3, 10, 16})
                check({.filters = 10,
                       .kernel_size = kernel_size,
                       .padding = Padding::same,
                       .dilation_rate = rate},
                      {5, 6, channels, false});
    check({.filters = 16, .kernel_size = {3, 3}, .dilation_rate = {2, 2}}, {7, 6, 16, false});
    check({.filters = 7,
           .kernel_size = {3, 3},
           .activation = Activation::relu,
           .dilation_rate = {3, 2}},
          {7, 6, 3, false});
    // As large as the image, and one pixel of it.
    check({.filters = 10, .kernel_size = {3, 3}, .dilation_rate = {3, 2}}, {7, 5, 4, false});
    check({.filters = 10, .kernel_size = {3, 3}, .padding = Padding::same, .dilation_rate = {2, 2}},
          {1, 1, 3, false});
    for (const int groups : {2, 4, 16})
        check({.filters = 32,
               .kernel_size = {3, 3},
               .padding = Padding::same,
               .dilation_rate = {2, 2},
               .groups = groups},
              {4, 5, 32, false});
}
