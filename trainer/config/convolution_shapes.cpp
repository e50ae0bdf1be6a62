#include "trainer/config/convolution_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "trainer/config/limits.hpp"

namespace lockstep::trainer {
namespace {

using Pair = std::array<int, 2>;

std::string text_of(const Pair& size) { return fmt::format("{}x{}", size[0], size[1]); }

// Pixels that a kernel reaches over, along one axis.
int reach_of(int size, int dilation_rate) {
    if (size == 1 || dilation_rate == 1) return size;
    const std::int64_t reach = (std::int64_t{size} - 1) * dilation_rate + 1;
    if (reach > kMostSide)
        throw Misfit{
            fmt::format("its kernel reaches over {} pixels with a dilation_rate of {}; {} "
                        "are the most",
                        reach, dilation_rate, kMostSide)};
    return static_cast<int>(reach);
}

// Of all that slide a kernel.
template <class Config>
Windows kernel_windows(const Config& config, const Shape& input) {
    const Windows windows = windows_over(input, config.kernel_size, config.strides, config.padding,
                                         "kernel", config.dilation_rate);
    if (std::max(config.dilation_rate[0], config.dilation_rate[1]) > 1 &&
        std::max(config.strides[0], config.strides[1]) > 1)
        throw Misfit{
            fmt::format("a dilation_rate of {} needs strides of 1x1, and it has {}; set "
                        "one of them to 1",
                        text_of(config.dilation_rate), text_of(config.strides))};
    if (config.activation == Activation::softmax) throw Misfit{"softmax needs a flatten before it"};
    return windows;
}

Shape output_of(const Windows& windows, std::int64_t channels) {
    if (!std::in_range<int>(channels)) throw Misfit{"its output would have too many channels"};
    return {windows.vertical.output, windows.horizontal.output, static_cast<int>(channels), false};
}

// Behind the kernels: channels of the output.
template <class Config>
void add_bias(const Config& config, LayerShape& layer) {
    if (!config.use_bias) return;
    layer.parameters.push_back(trainable("bias", {layer.output.channels}, config.bias_initializer));
    layer.flops += layer.output.size();
}

void check_groups(const Conv2dConfig& config, const Shape& input) {
    if (config.groups < 1) throw Misfit{"groups must be 1 or more"};
    const auto check = [&](int channels, const char* what) {
        if (channels % config.groups != 0)
            throw Misfit{
                fmt::format("its {} groups do not divide {} {}", config.groups, channels, what)};
    };
    check(input.channels, "channels of the input");
    check(config.filters, "filters");
}

// Groups are computed as a kernel over all channels, at worst (kernels/channel_groups.hpp).
void check_merged_kernel(const Conv2dConfig& config, const LayerShape& layer) {
    if (config.groups == 1 || config.groups == layer.input.channels) return;
    LayerShape merged = layer;
    merged.parameters = {trainable(
        "kernel",
        {config.kernel_size[0], config.kernel_size[1], layer.input.channels, config.filters},
        config.kernel_initializer)};
    require_countable_layer(merged);
}

// [KH, KW, IC, depth_multiplier], and 2 operations for each of its taps and values of its output.
template <class Config>
void add_depthwise(const Config& config, const char* name, const Windows& windows,
                   LayerShape& layer) {
    if (config.depth_multiplier < 1) throw Misfit{"depth_multiplier must be 1 or more"};
    const Shape made =
        output_of(windows, std::int64_t{layer.input.channels} * config.depth_multiplier);
    layer.output = made;
    layer.parameters.push_back(trainable(name,
                                         {config.kernel_size[0], config.kernel_size[1],
                                          layer.input.channels, config.depth_multiplier},
                                         config.depthwise_initializer));
    require_countable_layer(layer);
    layer.flops = 2 * made.size() * config.kernel_size[0] * config.kernel_size[1];
}

}  // namespace

void require_image(const Shape& input) {
    if (input.is_flat)
        throw Misfit{"it needs an image, not a vector; remove the flatten before it"};
}

Windows windows_over(const Shape& input, const Pair& size, const Pair& strides, Padding padding,
                     const char* what, const Pair& dilation_rate) {
    require_image(input);
    const Pair reach{reach_of(size[0], dilation_rate[0]), reach_of(size[1], dilation_rate[1])};
    const Windows windows{window_of(input.height, reach[0], strides[0], padding),
                          window_of(input.width, reach[1], strides[1], padding)};
    if (windows.vertical.output < 1 || windows.horizontal.output < 1) {
        const std::string spread =
            reach == size ? "" : fmt::format(", which reaches over {} pixels,", text_of(reach));
        throw Misfit{
            fmt::format("its {} of {}{} is larger than the input", what, text_of(size), spread)};
    }
    return windows;
}

void infer(const Conv2dConfig& config, LayerShape& layer) {
    const Windows windows = kernel_windows(config, layer.input);
    check_groups(config, layer.input);
    layer.class_name = "Conv2D";
    layer.output = output_of(windows, config.filters);
    layer.parameters.push_back(trainable("kernel",
                                         {config.kernel_size[0], config.kernel_size[1],
                                          layer.input.channels / config.groups, config.filters},
                                         config.kernel_initializer));
    require_countable_layer(layer);  // else the number of operations might not be one
    check_merged_kernel(config, layer);
    layer.flops = 2 * layer.output.height * layer.output.width * layer.parameters[0].size();
    add_bias(config, layer);
}

void infer(const DepthwiseConv2dConfig& config, LayerShape& layer) {
    const Windows windows = kernel_windows(config, layer.input);
    layer.class_name = "DepthwiseConv2D";
    add_depthwise(config, "kernel", windows, layer);
    add_bias(config, layer);
}

void infer(const SeparableConv2dConfig& config, LayerShape& layer) {
    const Windows windows = kernel_windows(config, layer.input);
    layer.class_name = "SeparableConv2D";
    add_depthwise(config, "depthwise_kernel", windows, layer);
    const int channels = layer.output.channels;
    layer.parameters.push_back(trainable("pointwise_kernel", {1, 1, channels, config.filters},
                                         config.pointwise_initializer));
    layer.output = output_of(windows, config.filters);
    require_countable_layer(layer);
    layer.flops += 2 * layer.output.size() * channels;
    add_bias(config, layer);
}

void infer(const ZeroPadding2dConfig& config, LayerShape& layer) {
    require_image(layer.input);
    layer.class_name = "ZeroPadding2D";
    const auto padded = [](int size, const Pair& zeros) {
        if (std::min(zeros[0], zeros[1]) < 0) throw Misfit{"its padding must not be negative"};
        const std::int64_t sum = std::int64_t{size} + zeros[0] + zeros[1];
        if (sum > kMostSide)
            throw Misfit{
                fmt::format("its output has a side of {} pixels; {} are the most", sum, kMostSide)};
        return static_cast<int>(sum);
    };
    layer.output = {padded(layer.input.height, config.vertical),
                    padded(layer.input.width, config.horizontal), layer.input.channels, false};
}

void infer(const UpSampling2dConfig& config, LayerShape& layer) {
    require_image(layer.input);
    layer.class_name = "UpSampling2D";
    const auto enlarged = [](int size, int factor) {
        if (factor < 1) throw Misfit{"its size must be 1 or more"};
        const std::int64_t product = std::int64_t{size} * factor;
        if (product > kMostSide)
            throw Misfit{fmt::format("its output has a side of {} pixels; {} are the most", product,
                                     kMostSide)};
        return static_cast<int>(product);
    };
    layer.output = {enlarged(layer.input.height, config.size[0]),
                    enlarged(layer.input.width, config.size[1]), layer.input.channels, false};
}

}  // namespace lockstep::trainer
