#include "pipeline/exporting/onnx_layers.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>
#include <variant>

#include "pipeline/exporting/onnx_activations.hpp"

namespace lockstep::pipeline {
namespace {

using storage::OnnxAttribute;
using storage::OnnxTensor;
using trainer::LayerShape;
using Integers = std::vector<std::int64_t>;

Integers integers(const std::array<int, 2>& pair) { return {pair[0], pair[1]}; }

// Keras' HWIO to ONNX' OIHW.
OnnxTensor oihw(const trainer::NamedTensor& kernel) {
    const auto size = [&](std::size_t axis) {
        return static_cast<std::size_t>(kernel.shape.at(axis));
    };
    const std::size_t height = size(0), width = size(1), in = size(2), out = size(3);
    OnnxTensor tensor{kernel.layer + '/' + kernel.name,
                      {kernel.shape[3], kernel.shape[2], kernel.shape[0], kernel.shape[1]},
                      {}};
    tensor.values.reserve(kernel.values.size());
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i)
            for (std::size_t h = 0; h < height; ++h)
                for (std::size_t w = 0; w < width; ++w)
                    tensor.values.push_back(kernel.values[((h * width + w) * in + i) * out + o]);
    return tensor;
}

// A depthwise kernel [h, w, in, multiplier] as that of a convolution with a group for each input
// channel: [in * multiplier, 1, h, w].
OnnxTensor grouped(const trainer::NamedTensor& kernel) {
    OnnxTensor tensor{kernel.layer + '/' + kernel.name,
                      {kernel.shape[2] * kernel.shape[3], 1, kernel.shape[0], kernel.shape[1]},
                      {}};
    const auto pixels = static_cast<std::size_t>(kernel.shape[0] * kernel.shape[1]);
    const auto channels = static_cast<std::size_t>(kernel.shape[2] * kernel.shape[3]);
    tensor.values.reserve(kernel.values.size());
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t p = 0; p < pixels; ++p)
            tensor.values.push_back(kernel.values[p * channels + c]);
    return tensor;
}

// What Conv and the poolings share.
struct WindowSetting {
    std::array<int, 2> kernel;
    std::array<int, 2> strides;
    trainer::Padding padding;
    std::array<int, 2> dilation{1, 1};
};

std::vector<OnnxAttribute> window_attributes(const WindowSetting& window,
                                             const trainer::Shape& src) {
    const auto along = [&](int size, std::size_t axis) {
        return trainer::window_of(size, window.kernel[axis], window.strides[axis], window.padding,
                                  window.dilation[axis]);
    };
    const auto vertical = along(src.height, 0), horizontal = along(src.width, 1);
    std::vector<OnnxAttribute> attributes{
        {"kernel_shape", integers(window.kernel)},
        {"strides", integers(window.strides)},
        {"pads", Integers{vertical.pad_before, horizontal.pad_before, vertical.pad_after,
                          horizontal.pad_after}}};
    if (window.dilation != std::array{1, 1})
        attributes.push_back({"dilations", integers(window.dilation)});
    return attributes;
}

// Appends the nodes of one layer; one overload per kind.
class LayerNodes {
public:
    LayerNodes(OnnxGraph& graph, const LayerShape& shape,
               const std::vector<OnnxGraphValue>& sources)
        : graph_(graph), shape_(shape), sources_(sources) {}

    void add(const trainer::Conv2dConfig& conv) {
        graph_.channels_first(shape_);
        auto attributes = window_attributes(
            {conv.kernel_size, conv.strides, conv.padding, conv.dilation_rate}, shape_.input);
        if (conv.groups > 1) attributes.push_back({"group", std::int64_t{conv.groups}});
        append_conv(shape_.name, oihw(weight("kernel")), conv.use_bias, std::move(attributes));
        append_onnx_activation(graph_, conv.activation, shape_.name);
    }

    void add(const trainer::DepthwiseConv2dConfig& conv) {
        graph_.channels_first(shape_);
        append_conv(shape_.name, grouped(weight("kernel")), conv.use_bias, depthwise(conv));
        append_onnx_activation(graph_, conv.activation, shape_.name);
    }

    void add(const trainer::SeparableConv2dConfig& conv) {
        graph_.channels_first(shape_);
        append_conv(shape_.name + "/depthwise", grouped(weight("depthwise_kernel")), false,
                    depthwise(conv));
        append_conv(shape_.name, oihw(weight("pointwise_kernel")), conv.use_bias, {});
        append_onnx_activation(graph_, conv.activation, shape_.name);
    }

    void add(const trainer::PoolingConfig& pooling) {
        graph_.channels_first(shape_);
        auto attributes =
            window_attributes({pooling.pool_size, pooling.strides, pooling.padding}, shape_.input);
        const bool is_max = pooling.kind == trainer::PoolingKind::max;
        // As in Keras, an average counts the pixels inside the image alone.
        if (!is_max) attributes.push_back({"count_include_pad", std::int64_t{0}});
        graph_.append(shape_.name, is_max ? "MaxPool" : "AveragePool", {}, std::move(attributes));
    }

    void add(const trainer::GlobalPoolingConfig& pooling) {
        graph_.channels_first(shape_);
        const bool is_max = pooling.kind == trainer::PoolingKind::max;
        graph_.append(shape_.name, is_max ? "GlobalMaxPool" : "GlobalAveragePool");
        if (pooling.keepdims) return;
        graph_.append(shape_.name, "Flatten", {}, {{"axis", std::int64_t{1}}});
        graph_.is_vector();
    }

    // ONNX' node always takes gamma and beta.
    void add(const trainer::BatchNormalizationConfig& norm) {
        graph_.channels_first(shape_);
        const auto channels = static_cast<std::size_t>(shape_.input.channels);
        const auto all = [&](const char* name, float value) {
            return graph_.constant({shape_.name + '/' + name,
                                    {std::int64_t{shape_.input.channels}},
                                    std::vector<float>(channels, value)});
        };
        const std::string gamma = norm.scale ? constant("gamma") : all("gamma", 1.0F);
        const std::string beta = norm.center ? constant("beta") : all("beta", 0.0F);
        graph_.append(shape_.name, "BatchNormalization",
                      {gamma, beta, constant("moving_mean"), constant("moving_variance")},
                      {{"epsilon", static_cast<float>(norm.epsilon)}});
    }

    // (x - mean) / sqrt(variance + epsilon) over the last axis: set 13 has no node for it.
    void add(const trainer::LayerNormalizationConfig& norm) {
        graph_.channels_last(shape_.name);
        const std::string place = shape_.name + "/normalized";
        const std::string x = graph_.last().name;
        const Integers last_axis{-1};
        graph_.append(shape_.name + "/mean", "ReduceMean", {}, {{"axes", last_axis}});
        const std::string mean = graph_.last().name;
        graph_.append_of({x, mean}, shape_.name + "/centred", "Sub");
        const std::string centred = graph_.last().name;
        graph_.append_of({centred, centred}, shape_.name + "/square", "Mul");
        graph_.append(shape_.name + "/variance", "ReduceMean", {}, {{"axes", last_axis}});
        graph_.append(shape_.name + "/variance", "Add",
                      {graph_.number(shape_.name + "/epsilon", static_cast<float>(norm.epsilon))});
        graph_.append(shape_.name + "/deviation", "Sqrt");
        const std::string deviation = graph_.last().name;
        graph_.append_of({centred, deviation}, place, "Div");
        if (norm.scale) graph_.append(shape_.name, "Mul", {constant("gamma")});
        if (norm.center) graph_.append(shape_.name, "Add", {constant("beta")});
    }

    void add(const trainer::DropoutConfig&) {}

    void add(const trainer::FlattenConfig&) {
        if (shape_.input.is_flat) return;
        graph_.channels_last(shape_.name);
        graph_.append(shape_.name, "Flatten", {}, {{"axis", std::int64_t{1}}});
    }

    // All sources as the first one lies; of two operands each, in their order.
    void add(const trainer::MergeConfig& merge) {
        const std::vector<std::string> others = others_as_first();
        if (merge.kind == trainer::MergeKind::concatenate) {
            const bool is_second = shape_.input.is_flat || graph_.last().is_channels_first;
            return graph_.append(shape_.name, "Concat", others,
                                 {{"axis", std::int64_t{is_second ? 1 : 3}}});
        }
        const char* type = merge.kind == trainer::MergeKind::add ? "Add" : "Mul";
        for (std::size_t i = 0; i < others.size(); ++i)
            graph_.append(
                others.size() == 1 ? shape_.name : fmt::format("{}/{}", shape_.name, i + 1), type,
                {others[i]});
    }

    void add(const trainer::DenseConfig& dense) {
        std::vector<std::string> constants{constant("kernel")};
        if (dense.use_bias) constants.push_back(constant("bias"));
        graph_.append(shape_.name, "Gemm", constants);
        append_onnx_activation(graph_, dense.activation, shape_.name);
    }

    void add(const trainer::ActivationConfig& config) {
        append_onnx_activation(graph_, config.activation, shape_.name);
    }

    void add(const trainer::ZeroPadding2dConfig& zeros) {
        graph_.channels_first(shape_);
        const Integers pads{0, 0, zeros.vertical[0], zeros.horizontal[0],
                            0, 0, zeros.vertical[1], zeros.horizontal[1]};
        graph_.append(shape_.name, "Pad", {graph_.integers(shape_.name + "/pads", pads)});
    }

    void add(const trainer::UpSampling2dConfig& sampling) {
        graph_.channels_first(shape_);
        const bool is_nearest = sampling.interpolation == trainer::Interpolation::nearest;
        const std::string scales =
            graph_.constant({shape_.name + "/scales",
                             {4},
                             {1.0F, 1.0F, static_cast<float>(sampling.size[0]),
                              static_cast<float>(sampling.size[1])}});
        graph_.append(shape_.name, "Resize", {"", scales},
                      {{"mode", std::string(is_nearest ? "nearest" : "linear")},
                       {"coordinate_transformation_mode", std::string("half_pixel")}});
    }

    void add(const trainer::RescalingConfig& rescaling) {
        graph_.append(shape_.name, "Mul",
                      {graph_.number(shape_.name + "/scale", static_cast<float>(rescaling.scale))});
        graph_.append(
            shape_.name, "Add",
            {graph_.number(shape_.name + "/offset", static_cast<float>(rescaling.offset))});
    }

private:
    const trainer::NamedTensor& weight(std::string_view name) const {
        return graph_.weight(shape_.name, name);
    }
    std::string constant(std::string_view name) {
        return graph_.weight_constant(shape_.name, name);
    }

    void append_conv(const std::string& place, OnnxTensor kernel, bool use_bias,
                     std::vector<OnnxAttribute> attributes) {
        std::vector<std::string> constants{graph_.constant(std::move(kernel))};
        if (use_bias) constants.push_back(constant("bias"));
        graph_.append(place, "Conv", constants, std::move(attributes));
    }

    std::vector<OnnxAttribute> depthwise(const auto& conv) const {
        auto attributes = window_attributes(
            {conv.kernel_size, conv.strides, conv.padding, conv.dilation_rate}, shape_.input);
        attributes.push_back({"group", std::int64_t{shape_.input.channels}});
        return attributes;
    }

    std::vector<std::string> others_as_first() {
        std::vector<std::string> others;
        const OnnxGraphValue first = graph_.last();
        for (std::size_t i = 1; i < sources_.size(); ++i) {
            graph_.go_on_from(sources_[i]);
            const std::string place = fmt::format("{}/{}", shape_.name, i);
            if (!shape_.input.is_flat)
                first.is_channels_first ? graph_.channels_first(place)
                                        : graph_.channels_last(place);
            others.push_back(graph_.last().name);
        }
        graph_.go_on_from(first);
        return others;
    }

    OnnxGraph& graph_;
    const LayerShape& shape_;
    const std::vector<OnnxGraphValue>& sources_;
};

}  // namespace

void append_onnx_layer(OnnxGraph& graph, const trainer::LayerConfig& layer,
                       const trainer::LayerShape& shape,
                       const std::vector<OnnxGraphValue>& sources) {
    LayerNodes nodes(graph, shape, sources);
    std::visit([&nodes](const auto& kind) { nodes.add(kind); }, layer.kind);
}

}  // namespace lockstep::pipeline
