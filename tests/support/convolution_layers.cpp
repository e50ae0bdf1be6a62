#include "tests/support/convolution_layers.hpp"

#include <string>
#include <utility>

namespace lockstep::tests {

using namespace lockstep::trainer;

std::vector<LayerConfig> convolution_layers(int classes) {
    const auto depthwise = [](std::string name, int size, int stride, int multiplier) {
        return LayerConfig{std::move(name), DepthwiseConv2dConfig{.kernel_size = {size, size},
                                                                  .strides = {stride, stride},
                                                                  .padding = Padding::same,
                                                                  .depth_multiplier = multiplier,
                                                                  .activation = Activation::relu}};
    };
    const auto conv = [](std::string name, int filters, int groups, int rate) {
        return LayerConfig{std::move(name), Conv2dConfig{.filters = filters,
                                                         .kernel_size = {3, 3},
                                                         .padding = Padding::same,
                                                         .dilation_rate = {rate, rate},
                                                         .groups = groups}};
    };
    return {depthwise("pixels", 3, 1, 4),
            conv("dilated", 16, 1, 2),
            {"norm", BatchNormalizationConfig{}},
            depthwise("deep", 3, 1, 1),
            {"up", UpSampling2dConfig{.interpolation = Interpolation::bilinear}},
            depthwise("strided", 3, 2, 2),
            conv("grouped", 32, 2, 1),
            conv("merged", 24, 8, 1),
            {"zeros", ZeroPadding2dConfig{.vertical = {0, 1}}},
            depthwise("wide", 5, 2, 1),
            {"separable", SeparableConv2dConfig{.filters = 20,
                                                .kernel_size = {3, 3},
                                                .activation = Activation::relu,
                                                .depthwise_l2 = 1e-3,
                                                .pointwise_l2 = 2e-3}},
            {"nearest", UpSampling2dConfig{}},
            {"flatten", FlattenConfig{}},
            {"dense", DenseConfig{.units = classes}}};
}

}  // namespace lockstep::tests
