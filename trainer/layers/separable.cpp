#include "trainer/layers/separable.hpp"

#include <variant>

#include "trainer/layers/conv2d.hpp"

namespace lockstep::trainer {

namespace {

const SeparableConv2dConfig& config_of(const LayerSetting& setting) {
    return std::get<SeparableConv2dConfig>(setting.config.kind);
}

// Between the two halves.
Shape middle(const LayerSetting& setting) {
    Shape shape = setting.shape.output;
    shape.channels = setting.shape.input.channels * config_of(setting).depth_multiplier;
    return shape;
}

std::unique_ptr<Layer> make_half(const Conv2dConfig& config, const LayerSetting& setting,
                                 const LayerShape& half, ComputeEngine& engine,
                                 Parameters& parameters) {
    const LayerSetting half_setting{.config = setting.config,
                                    .shape = half,
                                    .index = setting.index,
                                    .is_last = setting.is_last,
                                    .needs_diff_src = setting.needs_diff_src};
    return std::make_unique<Conv2d>(config, half_setting, engine, parameters);
}

}  // namespace

std::unique_ptr<Layer> make_depthwise(const LayerSetting& setting, ComputeEngine& engine,
                                      Parameters& parameters) {
    const SeparableConv2dConfig& config = config_of(setting);
    LayerShape half = setting.shape;
    half.output = middle(setting);
    half.parameters = {setting.shape.parameters.front()};
    const DepthwiseConv2dConfig depthwise{.kernel_size = config.kernel_size,
                                          .strides = config.strides,
                                          .padding = config.padding,
                                          .depth_multiplier = config.depth_multiplier,
                                          .dilation_rate = config.dilation_rate};
    return make_half(grouped(depthwise, half.input.channels), setting, half, engine, parameters);
}

std::unique_ptr<Layer> make_pointwise(const LayerSetting& setting, ComputeEngine& engine,
                                      Parameters& parameters) {
    const SeparableConv2dConfig& config = config_of(setting);
    LayerShape half = setting.shape;
    half.input = middle(setting);
    half.parameters.erase(half.parameters.begin());
    return make_half(
        {.filters = config.filters, .activation = config.activation, .use_bias = config.use_bias},
        setting, half, engine, parameters);
}

}  // namespace lockstep::trainer
