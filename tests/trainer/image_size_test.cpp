// Layers that change an image's size, and separable convolutions, against plain loops; their
// gradients against finite differences.
#include <array>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Pair = std::array<int, 2>;

void check(const LayerConfig& config, const Shape& input) {
    CAPTURE(input.height, input.width, input.channels);
    LayerProbeSetting setting;
    setting.config = config;
    setting.input = input;
    setting.batch = 3;
    setting.shards = 2;
    check_layer(setting);
}

std::vector<float> enlarged(const UpSampling2dConfig& config, const Shape& input,
                            const std::vector<float>& src) {
    const Communicator self(MPI_COMM_SELF);
    LayerProbeSetting setting;
    setting.config = {"up", config};
    setting.input = input;
    setting.batch = 1;
    LayerProbe probe(setting, self);
    return probe.forward(src);
}

}  // namespace

TEST_CASE("zero padding: each side by itself", "[trainer][layer]") {
    for (const ZeroPadding2dConfig& config :
         {ZeroPadding2dConfig{}, {{0, 0}, {0, 0}}, {{2, 0}, {0, 3}}, {{0, 1}, {4, 0}}})
        for (const int channels : {1, 3, 7, 16, 17})
            check({"zero_padding2d", config}, {4, 5, channels, false});
    check({"zero_padding2d", ZeroPadding2dConfig{}}, {1, 1, 5, false});
}

TEST_CASE("upsampling: nearest and bilinear by any factors", "[trainer][layer]") {
    for (const Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear})
        for (const Pair size : {Pair{2, 2}, Pair{1, 1}, Pair{3, 1}, Pair{2, 5}})
            for (const int channels : {1, 3, 16, 17}) {
                check({"up_sampling2d", UpSampling2dConfig{size, interpolation}},
                      {3, 4, channels, false});
                check({"up_sampling2d", UpSampling2dConfig{size, interpolation}},
                      {1, 1, channels, false});
            }
}

// What tf.image.resize(method="bilinear") and "nearest" give.
TEST_CASE("upsampling of a row of pixels, number by number", "[trainer][layer]") {
    CHECK(enlarged({{1, 2}, Interpolation::bilinear}, {1, 3, 1, false}, {0, 4, 8}) ==
          std::vector<float>{0, 1, 3, 5, 7, 8});
    CHECK(enlarged({{2, 1}, Interpolation::bilinear}, {2, 1, 1, false}, {0, 4}) ==
          std::vector<float>{0, 1, 3, 4});
    CHECK(enlarged({{1, 2}, Interpolation::nearest}, {1, 3, 1, false}, {0, 4, 8}) ==
          std::vector<float>{0, 0, 4, 4, 8, 8});
}

TEST_CASE("separable convolution: kernels, strides, gaps, multipliers", "[trainer][layer]") {
    for (const Pair strides : {Pair{1, 1}, Pair{2, 2}})
        for (const auto& [channels, multiplier] :
             {Pair{1, 1}, Pair{3, 1}, Pair{7, 2}, Pair{16, 1}, Pair{17, 1}, Pair{5, 3}})
            check({"separable_conv2d", SeparableConv2dConfig{.filters = 10,
                                                             .kernel_size = {3, 3},
                                                             .strides = strides,
                                                             .padding = Padding::same,
                                                             .depth_multiplier = multiplier}},
                  {5, 4, channels, false});
    check({"separable_conv2d", SeparableConv2dConfig{.filters = 17,
                                                     .kernel_size = {3, 2},
                                                     .activation = Activation::relu,
                                                     .dilation_rate = {1, 2}}},
          {4, 5, 6, false});
    check({"separable_conv2d",
           SeparableConv2dConfig{.filters = 3, .kernel_size = {5, 5}, .use_bias = false}},
          {5, 5, 4, false});
    check({"separable_conv2d", SeparableConv2dConfig{.filters = 1, .padding = Padding::same}},
          {1, 1, 2, false});
}
