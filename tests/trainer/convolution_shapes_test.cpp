// Shapes, parameters, operations and refusals of all kinds of convolutions, and of layers that
// change an image's size, against Keras' rules and figures worked by hand.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/config/architecture.hpp"

using namespace lockstep::trainer;

namespace {

using Extents = std::vector<std::int64_t>;

LayerShape shape_of(const LayerConfig& config, const Shape& input) {
    try {
        infer_shapes(std::vector<LayerConfig>{config, {"flatten", FlattenConfig{}}}, input, -1);
    } catch (const ShapeError& error) {
        if (error.so_far().layers.size() == 2) return error.so_far().layers.front();
        throw;
    }
    throw std::logic_error("a network of -1 classes");
}

std::string refusal(const LayerConfig& config, const Shape& input = {9, 8, 6, false}) {
    try {
        shape_of(config, input);
    } catch (const ShapeError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("convolutions in groups have Keras' kernels and operations", "[architecture]") {
    const LayerShape layer =
        shape_of({"conv2d", Conv2dConfig{.filters = 8, .kernel_size = {3, 2}, .groups = 2}},
                 {9, 8, 6, false});
    CHECK(to_string(layer.output) == "(None, 7, 7, 8)");
    CHECK(layer.parameters[0].shape == Extents{3, 2, 3, 8});
    CHECK(layer.parameter_count() == 3 * 2 * 3 * 8 + 8);
    CHECK(layer.flops == 2 * (3 * 2 * 3) * (7 * 7 * 8) + 7 * 7 * 8);
}

TEST_CASE("gaps between taps make a kernel reach further", "[architecture]") {
    const auto output = [](Padding padding, int rate) {
        return to_string(shape_of({"conv2d", Conv2dConfig{.filters = 4,
                                                          .kernel_size = {3, 3},
                                                          .padding = padding,
                                                          .dilation_rate = {rate, 1}}},
                                  {9, 8, 6, false})
                             .output);
    };
    CHECK(output(Padding::valid, 1) == "(None, 7, 6, 4)");
    CHECK(output(Padding::valid, 2) == "(None, 5, 6, 4)");
    CHECK(output(Padding::valid, 4) == "(None, 1, 6, 4)");
    CHECK(output(Padding::same, 4) == "(None, 9, 8, 4)");
    CHECK(output(Padding::same, 20'000) == "(None, 9, 8, 4)");
}

TEST_CASE("a depthwise convolution has a kernel a channel and output", "[architecture]") {
    const DepthwiseConv2dConfig config{
        .kernel_size = {3, 3}, .strides = {2, 2}, .padding = Padding::same, .depth_multiplier = 2};
    const LayerShape layer = shape_of({"depthwise_conv2d", config}, {9, 8, 6, false});
    CHECK(layer.class_name == "DepthwiseConv2D");
    CHECK(to_string(layer.output) == "(None, 5, 4, 12)");
    REQUIRE(layer.parameters.size() == 2);
    CHECK(layer.parameters[0].name == "kernel");
    CHECK(layer.parameters[0].shape == Extents{3, 3, 6, 2});
    CHECK(layer.parameters[1].shape == Extents{12});
    CHECK(layer.flops == 2 * 9 * (5 * 4 * 12) + 5 * 4 * 12);
}

TEST_CASE("a separable convolution has Keras' three tensors", "[architecture]") {
    const SeparableConv2dConfig config{.filters = 5, .kernel_size = {3, 3}, .depth_multiplier = 2};
    const LayerShape layer = shape_of({"separable_conv2d", config}, {9, 8, 6, false});
    CHECK(layer.class_name == "SeparableConv2D");
    CHECK(to_string(layer.output) == "(None, 7, 6, 5)");
    REQUIRE(layer.parameters.size() == 3);
    CHECK(layer.parameters[0].name == "depthwise_kernel");
    CHECK(layer.parameters[0].shape == Extents{3, 3, 6, 2});
    CHECK(layer.parameters[1].name == "pointwise_kernel");
    CHECK(layer.parameters[1].shape == Extents{1, 1, 12, 5});
    CHECK(layer.parameters[2].name == "bias");
    CHECK(layer.flops == 2 * 9 * (7 * 6 * 12) + 2 * 12 * (7 * 6 * 5) + 7 * 6 * 5);
}

TEST_CASE("padded and enlarged images", "[architecture]") {
    const LayerShape padded =
        shape_of({"zero_padding2d", ZeroPadding2dConfig{{1, 2}, {0, 3}}}, {9, 8, 6, false});
    CHECK(padded.class_name == "ZeroPadding2D");
    CHECK(to_string(padded.output) == "(None, 12, 11, 6)");
    const LayerShape enlarged =
        shape_of({"up_sampling2d", UpSampling2dConfig{{2, 3}}}, {9, 8, 6, false});
    CHECK(enlarged.class_name == "UpSampling2D");
    CHECK(to_string(enlarged.output) == "(None, 18, 24, 6)");
    for (const LayerShape& layer : {padded, enlarged}) {
        CHECK(layer.parameters.empty());
        CHECK(layer.flops == 0);
    }
}

TEST_CASE("convolutions that cannot be are told in words", "[architecture]") {
    CHECK(refusal({"c", Conv2dConfig{.filters = 8, .groups = 4}}) ==
          "layer \"c\" cannot take its input (None, 9, 8, 6): its 4 groups do not divide 6 "
          "channels of the input");
    CHECK(refusal({"c", Conv2dConfig{.filters = 8, .groups = 3}}) ==
          "layer \"c\" cannot take its input (None, 9, 8, 6): its 3 groups do not divide 8 "
          "filters");
    CHECK(refusal({"c", Conv2dConfig{.filters = 8, .groups = 0}})
              .ends_with("groups must be 1 or more"));
    CHECK(refusal({"c", Conv2dConfig{.filters = 8, .strides = {1, 2}, .dilation_rate = {2, 1}}})
              .ends_with("a dilation_rate of 2x1 needs strides of 1x1, and it has 1x2; set one of "
                         "them to 1"));
    CHECK(refusal({"c", DepthwiseConv2dConfig{.kernel_size = {3, 3}, .dilation_rate = {5, 5}}})
              .ends_with("its kernel of 3x3, which reaches over 11x11 pixels, is larger than the "
                         "input"));
    CHECK(refusal({"c", DepthwiseConv2dConfig{.kernel_size = {3, 3},
                                              .padding = Padding::same,
                                              .dilation_rate = {1'000'000'000, 1}}})
              .ends_with("its kernel reaches over 2000000001 pixels with a dilation_rate of "
                         "1000000000; 65536 are the most"));
    CHECK(refusal({"c", DepthwiseConv2dConfig{.depth_multiplier = 0}})
              .ends_with("depth_multiplier must be 1 or more"));
    CHECK(refusal({"c", DepthwiseConv2dConfig{.depth_multiplier = 1'000'000'000}})
              .ends_with("its output would have too many channels"));
    CHECK(refusal({"c", SeparableConv2dConfig{.filters = 1, .kernel_size = {10, 1}}})
              .ends_with("its kernel of 10x1 is larger than the input"));
    CHECK(refusal({"z", ZeroPadding2dConfig{.vertical = {-1, 1}}})
              .ends_with("its padding must not be negative"));
    CHECK(refusal({"z", ZeroPadding2dConfig{.vertical = {2'000'000'000, 2'000'000'000}}})
              .ends_with("its output has a side of 4000000009 pixels; 65536 are the most"));
    CHECK(
        refusal({"u", UpSampling2dConfig{.size = {0, 1}}}).ends_with("its size must be 1 or more"));
    CHECK(refusal({"u", UpSampling2dConfig{.size = {1, 2'000'000'000}}})
              .ends_with("its output has a side of 16000000000 pixels; 65536 are the most"));
    for (const LayerConfig& layer :
         {LayerConfig{"x", DepthwiseConv2dConfig{}}, LayerConfig{"x", ZeroPadding2dConfig{}},
          LayerConfig{"x", UpSampling2dConfig{}}})
        CHECK(refusal(layer, {1, 1, 5, true})
                  .ends_with("it needs an image, not a vector; remove the flatten before it"));
    // Groups of 3 channels are computed as one kernel over all 30,000.
    CHECK(refusal({"c", Conv2dConfig{.filters = 30'000, .kernel_size = {3, 3}, .groups = 10'000}},
                  {3, 3, 30'000, false})
              .find("its kernel has 8.1e+09 weights") != std::string::npos);
}
