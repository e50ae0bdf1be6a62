#include "trainer/config/layer_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

#include "trainer/config/limits.hpp"

namespace lockstep::trainer {
namespace {

std::string text_of(const std::array<int, 2>& size) {
    return fmt::format("{}x{}", size[0], size[1]);
}

// Operations of an activation on one image, as TensorFlow's profiler counts them: five per value of
// a softmax, none for a relu.
std::int64_t activation_flops(Activation activation, const Shape& shape) {
    return activation == Activation::softmax ? 5 * shape.size() : 0;
}

ParameterShape trainable(std::string name, std::vector<std::int64_t> shape) {
    return {std::move(name), std::move(shape), true};
}

struct Windows {
    Window vertical;
    Window horizontal;
};

Windows windows_over(const Shape& input, const std::array<int, 2>& kernel,
                     const std::array<int, 2>& strides, Padding padding, const char* what) {
    if (input.is_flat)
        throw Misfit{"it needs an image, not a vector; remove the flatten before it"};
    const Windows windows{window_of(input.height, kernel[0], strides[0], padding),
                          window_of(input.width, kernel[1], strides[1], padding)};
    if (windows.vertical.output < 1 || windows.horizontal.output < 1) {
        throw Misfit{fmt::format("its {} of {} is larger than the input", what, text_of(kernel))};
    }
    return windows;
}

void check_size(const LayerShape& layer) {
    if (const auto reason = too_large(layer)) throw Misfit{*reason};
}

// One overload per kind.

void infer(const Conv2dConfig& config, LayerShape& layer) {
    const Shape& input = layer.input;
    const Windows windows =
        windows_over(input, config.kernel_size, config.strides, config.padding, "kernel");
    if (config.activation == Activation::softmax) throw Misfit{"softmax needs a flatten before it"};
    layer.class_name = "Conv2D";
    layer.output = {windows.vertical.output, windows.horizontal.output, config.filters, false};
    layer.parameters.push_back(trainable(
        "kernel", {config.kernel_size[0], config.kernel_size[1], input.channels, config.filters}));
    check_size(layer);  // else the number of operations might not be one
    layer.flops = 2 * layer.output.height * layer.output.width * layer.parameters[0].size();
    if (config.use_bias) {
        layer.parameters.push_back(trainable("bias", {config.filters}));
        layer.flops += layer.output.size();
    }
}

void infer(const PoolingConfig& config, LayerShape& layer) {
    const Windows windows =
        windows_over(layer.input, config.pool_size, config.strides, config.padding, "pool");
    layer.class_name = config.kind == PoolingKind::max ? "MaxPooling2D" : "AveragePooling2D";
    layer.output = {windows.vertical.output, windows.horizontal.output, layer.input.channels,
                    false};
    const auto reason = too_many_places(std::min(config.pool_size[0], layer.input.height),
                                        std::min(config.pool_size[1], layer.input.width));
    if (reason && config.kind == PoolingKind::max) throw Misfit{*reason};
    layer.flops = layer.output.size() * config.pool_size[0] * config.pool_size[1];
}

void infer(const BatchNormalizationConfig&, LayerShape& layer) {
    layer.class_name = "BatchNormalization";
    layer.output = layer.input;
    const std::vector<std::int64_t> per_channel{layer.input.channels};
    layer.parameters = {{"gamma", per_channel, true},
                        {"beta", per_channel, true},
                        {"moving_mean", per_channel, false},
                        {"moving_variance", per_channel, false}};
    layer.flops = 2 * layer.output.size();  // one multiply-add, its two factors known beforehand
}

void infer(const DropoutConfig&, LayerShape& layer) {
    layer.class_name = "Dropout";
    layer.output = layer.input;
}

void infer(const GlobalPoolingConfig& config, LayerShape& layer) {
    const Shape& image = layer.input;
    if (image.is_flat)
        throw Misfit{"it needs an image, not a vector; remove the flatten before it"};
    const bool is_max = config.kind == PoolingKind::max;
    layer.class_name = is_max ? "GlobalMaxPooling2D" : "GlobalAveragePooling2D";
    layer.output = {1, 1, image.channels, true};
    const auto reason = too_many_places(image.height, image.width);
    if (reason && is_max) throw Misfit{*reason};
    layer.flops = image.size();
}

Shape concatenated(const std::vector<Shape>& inputs) {
    Shape all = inputs.front();
    std::int64_t channels = 0;
    for (const Shape& input : inputs) {
        if (input.is_flat != all.is_flat || input.height != all.height || input.width != all.width)
            throw Misfit{fmt::format("{} and {} differ in more than their channels", to_string(all),
                                     to_string(input))};
        channels += input.channels;
    }
    if (!std::in_range<int>(channels)) throw Misfit{"its output would be too long"};
    all.channels = static_cast<int>(channels);
    return all;
}

void infer(const MergeConfig& config, LayerShape& layer) {
    constexpr std::array kClassNames{"Add", "Multiply", "Concatenate"};
    layer.class_name = kClassNames.at(static_cast<std::size_t>(config.kind));
    if (layer.inputs.size() < 2) throw Misfit{"it needs two inputs or more"};
    if (config.kind == MergeKind::concatenate) {
        layer.output = concatenated(layer.inputs);
        return;
    }
    layer.output = layer.input;
    for (const Shape& input : layer.inputs)
        if (input != layer.input)
            throw Misfit{fmt::format("{} and {} differ", to_string(layer.input), to_string(input))};
    layer.flops = layer.output.size() * static_cast<std::int64_t>(layer.inputs.size() - 1);
}

void infer(const FlattenConfig&, LayerShape& layer) {
    layer.class_name = "Flatten";
    if (!std::in_range<int>(layer.input.size())) throw Misfit{"its output would be too long"};
    layer.output = {1, 1, static_cast<int>(layer.input.size()), true};
}

void infer(const DenseConfig& config, LayerShape& layer) {
    if (!layer.input.is_flat) throw Misfit{"a dense layer needs a flatten before it"};
    layer.class_name = "Dense";
    layer.output = {1, 1, config.units, true};
    layer.parameters.push_back(trainable("kernel", {layer.input.channels, config.units}));
    layer.flops = 2 * layer.parameters[0].size();
    if (config.use_bias) {
        layer.parameters.push_back(trainable("bias", {config.units}));
        layer.flops += layer.output.size();
    }
    layer.flops += activation_flops(config.activation, layer.output);
}

void infer(const ActivationConfig& config, LayerShape& layer) {
    if (config.activation == Activation::softmax && !layer.input.is_flat) {
        throw Misfit{"softmax needs a flatten before it"};
    }
    layer.class_name = "Activation";
    layer.output = layer.input;
    layer.flops = activation_flops(config.activation, layer.output);
}

}  // namespace

void infer_layer(const LayerConfig& config, LayerShape& layer) {
    if (layer.inputs.size() > 1 && !std::holds_alternative<MergeConfig>(config.kind))
        throw Misfit{"it takes one"};
    std::visit([&layer](const auto& kind) { infer(kind, layer); }, config.kind);
    check_size(layer);
}

Window window_of(int size, int kernel, int stride, Padding padding) {
    if (padding == Padding::valid) {
        return {kernel <= size ? (size - kernel) / stride + 1 : 0, 0, 0};
    }
    const int output = (size - 1) / stride + 1;
    // In 64 bits: a kernel may be any int, and is then padded by nearly as much.
    const auto zeros = static_cast<int>(std::clamp<std::int64_t>(
        std::int64_t{output - 1} * stride + kernel - size, 0, std::numeric_limits<int>::max()));
    return {output, zeros / 2, zeros - zeros / 2};  // the odd zero goes behind, as TensorFlow's
}

}  // namespace lockstep::trainer
