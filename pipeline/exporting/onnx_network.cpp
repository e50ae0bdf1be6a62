#include "pipeline/exporting/onnx_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/recording/version.hpp"

namespace lockstep::pipeline {
namespace {

using storage::OnnxAttribute;
using storage::OnnxTensor;
using Integers = std::vector<std::int64_t>;

// Keras' HWIO to ONNX' OIHW.
OnnxTensor oihw(const trainer::NamedTensor& kernel) {
    const auto size = [&](std::size_t axis) {
        return static_cast<std::size_t>(kernel.shape.at(axis));
    };
    const std::size_t height = size(0), width = size(1), in = size(2), out = size(3);
    OnnxTensor tensor{{}, {kernel.shape[3], kernel.shape[2], kernel.shape[0], kernel.shape[1]}, {}};
    tensor.values.reserve(kernel.values.size());
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i)
            for (std::size_t h = 0; h < height; ++h)
                for (std::size_t w = 0; w < width; ++w)
                    tensor.values.push_back(kernel.values[((h * width + w) * in + i) * out + o]);
    return tensor;
}

Integers integers(const std::array<int, 2>& pair) { return {pair[0], pair[1]}; }

// kernel_shape, strides and pads, which Conv and the poolings share.
std::vector<OnnxAttribute> window_attributes(const std::array<int, 2>& kernel,
                                             const std::array<int, 2>& strides,
                                             trainer::Padding padding, const trainer::Shape& src) {
    const auto vertical = trainer::window_of(src.height, kernel[0], strides[0], padding);
    const auto horizontal = trainer::window_of(src.width, kernel[1], strides[1], padding);
    return {{"kernel_shape", integers(kernel)},
            {"strides", integers(strides)},
            {"pads", Integers{vertical.pad_before, horizontal.pad_before, vertical.pad_after,
                              horizontal.pad_after}}};
}

// A value of the network in the graph: its name, and how its images lie: NCHW, or as in Keras NHWC.
struct OnnxValue {
    std::string name;
    bool is_channels_first = false;
};

// Appends the nodes of one layer after another.
class GraphBuilder {
public:
    GraphBuilder(const trainer::Architecture& architecture, const trainer::NamedTensors& weights)
        : weights_(weights) {
        const trainer::Shape& image = architecture.input;
        model_.input = {kOnnxInput,
                        {"N", std::int64_t{image.height}, std::int64_t{image.width},
                         std::int64_t{image.channels}}};
        model_.output = {kOnnxOutput, {"N", std::int64_t{architecture.output().channels}}};
    }

    void scale_pixels(const trainer::PixelScale& scale) {
        const auto is = [](float wanted) { return [=](float value) { return value == wanted; }; };
        const Integers shape{static_cast<std::int64_t>(scale.offset.size())};
        if (!std::ranges::all_of(scale.offset, is(0.0F))) {
            append(kOnnxInput, "Sub", {constant({"pixels/offset", shape, scale.offset})});
        }
        if (!std::ranges::all_of(scale.divisor, is(1.0F))) {
            append(kOnnxInput, "Div", {constant({"pixels/divisor", shape, scale.divisor})});
        }
    }

    void layer(const trainer::LayerConfig& config, const trainer::LayerShape& shape) {
        if (values_.empty()) values_.push_back(last_);  // the pixels, scaled
        last_ = values_.at(shape.sources.front());
        std::visit([&](const auto& kind) { add(kind, shape); }, config.kind);
        values_.push_back(last_);
    }

    // The last value becomes the graph's output.
    storage::OnnxModel finish() && {
        append("", "Softmax", {}, {{"axis", std::int64_t{-1}}});
        model_.nodes.back().name = kOnnxOutput;
        model_.nodes.back().outputs = {kOnnxOutput};
        return std::move(model_);
    }

private:
    void add(const trainer::Conv2dConfig& conv, const trainer::LayerShape& shape) {
        channels_first(shape);
        OnnxTensor kernel = oihw(weight(shape.name, "kernel"));
        kernel.name = shape.name + "/kernel";
        std::vector<std::string> constants{constant(std::move(kernel))};
        if (conv.use_bias) constants.push_back(weight_constant(shape.name, "bias"));
        append(shape.name, "Conv", constants,
               window_attributes(conv.kernel_size, conv.strides, conv.padding, shape.input));
        activation(conv.activation, shape.name);
    }

    void add(const trainer::PoolingConfig& pooling, const trainer::LayerShape& shape) {
        channels_first(shape);
        auto attributes =
            window_attributes(pooling.pool_size, pooling.strides, pooling.padding, shape.input);
        const bool is_max = pooling.kind == trainer::PoolingKind::max;
        // As in Keras, an average counts the pixels inside the image alone.
        if (!is_max) attributes.push_back({"count_include_pad", std::int64_t{0}});
        append(shape.name, is_max ? "MaxPool" : "AveragePool", {}, std::move(attributes));
    }

    void add(const trainer::BatchNormalizationConfig& norm, const trainer::LayerShape& shape) {
        channels_first(shape);
        std::vector<std::string> constants;
        for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"}) {
            constants.push_back(weight_constant(shape.name, name));
        }
        append(shape.name, "BatchNormalization", constants,
               {{"epsilon", static_cast<float>(norm.epsilon)}});
    }

    void add(const trainer::DropoutConfig&, const trainer::LayerShape&) {}

    void add(const trainer::FlattenConfig&, const trainer::LayerShape& shape) {
        if (shape.input.is_flat) return;
        channels_last(shape.name);
        append(shape.name, "Flatten", {}, {{"axis", std::int64_t{1}}});
    }

    void add(const trainer::GlobalPoolingConfig& pooling, const trainer::LayerShape& shape) {
        channels_first(shape);
        const bool is_max = pooling.kind == trainer::PoolingKind::max;
        append(shape.name, is_max ? "GlobalMaxPool" : "GlobalAveragePool", {});
        append(shape.name, "Flatten", {}, {{"axis", std::int64_t{1}}});
        last_.is_channels_first = false;
    }

    // All sources as the first one lies.
    void add(const trainer::MergeConfig& merge, const trainer::LayerShape& shape) {
        std::vector<std::string> others;
        const OnnxValue first = last_;
        for (std::size_t i = 1; i < shape.sources.size(); ++i) {
            last_ = values_.at(shape.sources[i]);
            const std::string place = fmt::format("{}/{}", shape.name, i);
            if (!shape.input.is_flat)
                first.is_channels_first ? channels_first(place) : channels_last(place);
            others.push_back(last_.name);
        }
        last_ = first;
        if (merge.kind == trainer::MergeKind::concatenate) {
            const std::int64_t axis = shape.input.is_flat || first.is_channels_first ? 1 : 3;
            return append(shape.name, "Concat", others, {{"axis", axis}});
        }
        // Of two operands each, in their order.
        const char* type = merge.kind == trainer::MergeKind::add ? "Add" : "Mul";
        for (std::size_t i = 0; i < others.size(); ++i)
            append(others.size() == 1 ? shape.name : fmt::format("{}/{}", shape.name, i + 1), type,
                   {others[i]});
    }

    void add(const trainer::DenseConfig& dense, const trainer::LayerShape& shape) {
        std::vector<std::string> constants{weight_constant(shape.name, "kernel")};
        if (dense.use_bias) constants.push_back(weight_constant(shape.name, "bias"));
        append(shape.name, "Gemm", constants);
        activation(dense.activation, shape.name);
    }

    void add(const trainer::ActivationConfig& config, const trainer::LayerShape& shape) {
        activation(config.activation, shape.name);
    }

    void activation(trainer::Activation activation, const std::string& layer) {
        if (activation == trainer::Activation::relu) append(layer, "Relu", {});
        if (activation == trainer::Activation::softmax) {
            append(layer, "Softmax", {}, {{"axis", std::int64_t{-1}}});
        }
    }

    // ONNX' convolutions, poolings and batch normalization take NCHW; vectors are both.
    void channels_first(const trainer::LayerShape& shape) {
        if (!shape.input.is_flat) channels_first(shape.name);
    }
    void channels_first(const std::string& place) {
        if (last_.is_channels_first) return;
        transpose(place, {0, 3, 1, 2});
        last_.is_channels_first = true;
    }
    void channels_last(const std::string& place) {
        if (!last_.is_channels_first) return;
        transpose(place, {0, 2, 3, 1});
        last_.is_channels_first = false;
    }

    void transpose(const std::string& layer, Integers permutation) {
        append(layer, "Transpose", {}, {{"perm", std::move(permutation)}});
    }

    // There is one: the weights were checked against the network when they were read.
    const trainer::NamedTensor& weight(const std::string& layer, std::string_view name) const {
        return *std::ranges::find_if(weights_, [&](const trainer::NamedTensor& tensor) {
            return tensor.layer == layer && tensor.name == name;
        });
    }

    std::string weight_constant(const std::string& layer, std::string_view name) {
        const trainer::NamedTensor& tensor = weight(layer, name);
        return constant({layer + '/' + tensor.name, tensor.shape, tensor.values});
    }

    // Returns its name.
    std::string constant(OnnxTensor tensor) {
        model_.initializers.push_back(std::move(tensor));
        return model_.initializers.back().name;
    }

    // A node that takes the last value, then constants or other values.
    void append(const std::string& layer, const std::string& op_type,
                const std::vector<std::string>& constants,
                std::vector<OnnxAttribute> attributes = {}) {
        std::vector<std::string> inputs{last_.name};
        inputs.insert(inputs.end(), constants.begin(), constants.end());
        last_.name = layer + '/' + op_type;
        model_.nodes.push_back(
            {last_.name, op_type, std::move(inputs), {last_.name}, std::move(attributes)});
    }

    const trainer::NamedTensors& weights_;
    storage::OnnxModel model_;
    OnnxValue last_{kOnnxInput};     // the value that the next node takes
    std::vector<OnnxValue> values_;  // by number of the value
};

// The softmax at the network's end is the graph's own: it is there with or without.
trainer::LayerConfig without_softmax(trainer::LayerConfig layer) {
    const auto leave_out = [](auto& kind) {
        if constexpr (requires { kind.activation; }) {
            if (kind.activation == trainer::Activation::softmax) {
                kind.activation = trainer::Activation::linear;
            }
        }
    };
    std::visit(leave_out, layer.kind);
    return layer;
}

}  // namespace

storage::OnnxModel onnx_network(const trainer::RunConfig& config,
                                const trainer::Architecture& architecture,
                                const trainer::NamedTensors& weights,
                                const trainer::PixelScale& scale, const ExportNotes& notes) {
    GraphBuilder builder(architecture, weights);
    builder.scale_pixels(scale);
    for (std::size_t i = 0; i < config.layers.size(); ++i) {
        const bool is_last = i + 1 == config.layers.size();
        builder.layer(is_last ? without_softmax(config.layers[i]) : config.layers[i],
                      architecture.layers.at(i));
    }
    storage::OnnxModel model = std::move(builder).finish();
    model.producer_version = lockstep_version();
    model.graph_name = config.name;
    model.metadata = notes;
    return model;
}

}  // namespace lockstep::pipeline
