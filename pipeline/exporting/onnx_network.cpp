#include "pipeline/exporting/onnx_network.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/exporting/onnx_graph.hpp"
#include "pipeline/exporting/onnx_layers.hpp"
#include "pipeline/recording/version.hpp"

namespace lockstep::pipeline {
namespace {

// Ends of the graph and the values between its layers.
class GraphBuilder {
public:
    GraphBuilder(const trainer::Architecture& architecture, const trainer::NamedTensors& weights)
        : graph_(weights, {kOnnxInput}) {
        const trainer::Shape& image = architecture.input;
        graph_.model().input = {kOnnxInput,
                                {"N", std::int64_t{image.height}, std::int64_t{image.width},
                                 std::int64_t{image.channels}}};
        graph_.model().output = {kOnnxOutput, {"N", std::int64_t{architecture.output().channels}}};
    }

    void scale_pixels(const trainer::PixelScale& scale) {
        const auto is = [](float wanted) { return [=](float value) { return value == wanted; }; };
        const std::string place = kOnnxScaling;
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(scale.offset.size())};
        if (!std::ranges::all_of(scale.offset, is(0.0F)))
            graph_.append(place, "Sub",
                          {graph_.constant({place + "/offset", shape, scale.offset})});
        if (!std::ranges::all_of(scale.divisor, is(1.0F)))
            graph_.append(place, "Div",
                          {graph_.constant({place + "/divisor", shape, scale.divisor})});
        values_.push_back(graph_.last());
    }

    void layer(const trainer::LayerConfig& config, const trainer::LayerShape& shape) {
        std::vector<OnnxGraphValue> sources;
        for (const trainer::ValueNumber source : shape.sources)
            sources.push_back(values_.at(source));
        graph_.go_on_from(sources.front());
        append_onnx_layer(graph_, config, shape, sources);
        values_.push_back(graph_.last());
    }

    storage::OnnxModel finish() && {
        graph_.append("", "Softmax", {}, {{"axis", std::int64_t{-1}}});
        graph_.rename_last(kOnnxOutput);
        return std::move(graph_).finish();
    }

private:
    OnnxGraph graph_;
    std::vector<OnnxGraphValue> values_;  // by number of the value
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
