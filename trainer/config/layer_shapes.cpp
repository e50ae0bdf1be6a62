#include "trainer/config/layer_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

#include "trainer/config/convolution_shapes.hpp"
#include "trainer/config/limits.hpp"

namespace lockstep::trainer {
namespace {

// Operations of an activation on one image, as TensorFlow's profiler counts them: five per value of
// a softmax, none for a relu.
std::int64_t activation_flops(Activation activation, const Shape& shape) {
    return activation == Activation::softmax ? 5 * shape.size() : 0;
}

// One overload per kind; those of convolutions stand in convolution_shapes.cpp.

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

template <class Config>
void add_gamma_and_beta(const Config& config, const std::vector<std::int64_t>& shape,
                        LayerShape& layer) {
    if (config.scale)
        layer.parameters.push_back(trainable("gamma", shape, config.gamma_initializer));
    if (config.center)
        layer.parameters.push_back(trainable("beta", shape, config.beta_initializer));
}

void infer(const BatchNormalizationConfig& config, LayerShape& layer) {
    layer.class_name = "BatchNormalization";
    layer.output = layer.input;
    const std::vector<std::int64_t> per_channel{layer.input.channels};
    add_gamma_and_beta(config, per_channel, layer);
    layer.parameters.push_back({"moving_mean", per_channel, false});
    layer.parameters.push_back({"moving_variance", per_channel, false, Initializer::ones});
    layer.flops = 2 * layer.output.size();  // one multiply-add, its two factors known beforehand
}

// A sum of the values, a sum of squared deviations (three operations), and the multiply-add of the
// normalization.
void infer(const LayerNormalizationConfig& config, LayerShape& layer) {
    layer.class_name = "LayerNormalization";
    layer.output = layer.input;
    add_gamma_and_beta(config, {layer.input.channels}, layer);
    layer.flops = 6 * layer.output.size();
}

void infer(const RescalingConfig&, LayerShape& layer) {
    layer.class_name = "Rescaling";
    layer.output = layer.input;
    layer.flops = 2 * layer.output.size();
}

void infer(const DropoutConfig& config, LayerShape& layer) {
    if (config.is_spatial && layer.input.is_flat)
        throw Misfit{"it needs an image, not a vector; remove the flatten before it"};
    layer.class_name = config.is_spatial ? "SpatialDropout2D" : "Dropout";
    layer.output = layer.input;
}

void infer(const GlobalPoolingConfig& config, LayerShape& layer) {
    const Shape& image = layer.input;
    require_image(image);
    const bool is_max = config.kind == PoolingKind::max;
    layer.class_name = is_max ? "GlobalMaxPooling2D" : "GlobalAveragePooling2D";
    layer.output = {1, 1, image.channels, !config.keepdims};
    const auto reason = too_many_places(image.height, image.width);
    if (reason && is_max) throw Misfit{*reason};
    layer.flops = image.size();
}

// Images of one pixel stand for whole ones.
Shape broadcast(const std::vector<Shape>& inputs) {
    const auto pixels = [](const Shape& shape) { return std::int64_t{shape.height} * shape.width; };
    const Shape& whole = *std::ranges::max_element(inputs, {}, pixels);
    for (const Shape& input : inputs) {
        const Shape spread{whole.height, whole.width, input.channels, input.is_flat};
        if ((pixels(input) == 1 ? spread : input) != whole)
            throw Misfit{fmt::format("{} and {} differ", to_string(whole), to_string(input))};
    }
    return whole;
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
    layer.output = broadcast(layer.inputs);
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
    layer.parameters.push_back(
        trainable("kernel", {layer.input.channels, config.units}, config.kernel_initializer));
    layer.flops = 2 * layer.parameters[0].size();
    if (config.use_bias) {
        layer.parameters.push_back(trainable("bias", {config.units}, config.bias_initializer));
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

bool is_kernel_of_conv2d(const LayerConfig& layer, const ParameterShape& parameter) {
    const auto* conv = std::get_if<Conv2dConfig>(&layer.kind);
    return conv != nullptr && conv->groups == 1 && parameter.name == "kernel";
}

// Each pair of a patch's values is summed over all patches: more would take minutes.
constexpr std::int64_t kMostPatchValues = 192;

void check_patch_whitening(const LayerConfig& config, const LayerShape& layer,
                           const ParameterShape& parameter) {
    const auto* conv = std::get_if<Conv2dConfig>(&config.kind);
    if (!is_kernel_of_conv2d(config, parameter) || conv->dilation_rate != std::array{1, 1})
        throw Misfit{fmt::format(
            "a patch_whitening initializer makes the kernel of a conv2d without groups or gaps, "
            "not this {}",
            parameter.name)};
    if (layer.sources != std::vector<ValueNumber>{0})
        throw Misfit{
            "a patch_whitening initializer is made of the training images, so its layer has to "
            "read them: make it the first one, or give it inputs = \"input\""};
    if (conv->kernel_size[0] > layer.input.height || conv->kernel_size[1] > layer.input.width)
        throw Misfit{
            "a patch_whitening initializer takes patches of the size of the kernel, and "
            "the images are smaller"};
    const std::int64_t values = parameter.shape[0] * parameter.shape[1] * parameter.shape[2];
    if (values > kMostPatchValues)
        throw Misfit{fmt::format(
            "a patch_whitening initializer takes patches of at most {} values, and a kernel of "
            "{}x{} over {} channels has {}",
            kMostPatchValues, parameter.shape[0], parameter.shape[1], parameter.shape[2], values)};
    if (parameter.shape[3] != 2 * values)
        throw Misfit{fmt::format(
            "a patch_whitening initializer makes a filter for each of the {} values of a patch, "
            "and its negative: set filters to {}, not {}",
            values, 2 * values, parameter.shape[3])};
    if (const double images = parameter.initializer.images; images != std::floor(images))
        throw Misfit{
            fmt::format("a patch_whitening initializer takes a whole number of images, "
                        "not {}",
                        images)};
}

void check_initializer(const LayerConfig& config, const LayerShape& layer,
                       const ParameterShape& parameter) {
    const Initializer kind = parameter.initializer.kind;
    if (kind == Initializer::identity && parameter.shape.size() != 2)
        throw Misfit{
            fmt::format("an identity initializer makes a matrix, as the kernel of a dense "
                        "layer is one; its {} has the shape ({})",
                        parameter.name, fmt::join(parameter.shape, ", "))};
    if (kind == Initializer::orthogonal && parameter.shape.size() < 2)
        throw Misfit{
            fmt::format("an orthogonal initializer makes a matrix; its {} is a vector of "
                        "{} values",
                        parameter.name, parameter.size())};
    if (kind == Initializer::dirac && !is_kernel_of_conv2d(config, parameter))
        throw Misfit{
            fmt::format("a dirac initializer makes the kernel of a conv2d without groups, not "
                        "this {}",
                        parameter.name)};
    if (kind == Initializer::patch_whitening) check_patch_whitening(config, layer, parameter);
}

void check_trainable_epochs(const LayerConfig& config, const LayerShape& layer) {
    for (const TrainableEpochs& some : config.trainable_epochs)
        if (std::ranges::find(layer.parameters, some.tensor, &ParameterShape::name) ==
            layer.parameters.end())
            throw Misfit{fmt::format("it has no {}, which its trainable_epochs name", some.tensor)};
}

}  // namespace

ParameterShape trainable(std::string name, std::vector<std::int64_t> shape,
                         const InitializerConfig& initializer) {
    return {std::move(name), std::move(shape), true, initializer};
}

void require_countable_layer(const LayerShape& layer) {
    if (const auto reason = too_large(layer)) throw Misfit{*reason};
}

void infer_layer(const LayerConfig& config, LayerShape& layer) {
    if (layer.inputs.size() > 1 && !std::holds_alternative<MergeConfig>(config.kind))
        throw Misfit{"it takes one"};
    std::visit([&layer](const auto& kind) { infer(kind, layer); }, config.kind);
    require_countable_layer(layer);
    check_trainable_epochs(config, layer);
    for (ParameterShape& parameter : layer.parameters) {
        check_initializer(config, layer, parameter);
        if (!config.trainable) parameter.is_trainable = false;
    }
}

Window window_of(int size, int taps, int stride, Padding padding, int dilation_rate) {
    const int kernel = (taps - 1) * dilation_rate + 1;
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
