#include "pipeline/exporting/onnx_activations.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>

namespace lockstep::pipeline {
namespace {

constexpr float kLeakySlope = 0.2F;  // Keras'

// x * Phi(x), Phi by the error function: set 13 has no Gelu.
void append_gelu(OnnxGraph& graph, const std::string& layer) {
    const std::string x = graph.last().name;
    graph.append(layer + "/gelu", "Div",
                 {graph.number(layer + "/root_two", std::numbers::sqrt2_v<float>)});
    graph.append(layer + "/gelu", "Erf");
    graph.append(layer + "/gelu", "Add", {graph.number(layer + "/one", 1.0F)});
    graph.append(layer + "/gelu", "Mul", {x});
    graph.append(layer, "Mul", {graph.number(layer + "/half", 0.5F)});
}

void append_silu(OnnxGraph& graph, const std::string& layer) {
    const std::string x = graph.last().name;
    graph.append(layer, "Sigmoid");
    graph.append(layer, "Mul", {x});
}

// x * relu6(x + 3) / 6: set 13 has no HardSwish, but its second factor.
void append_hard_swish(OnnxGraph& graph, const std::string& layer) {
    const std::string x = graph.last().name;
    graph.append(layer, "HardSigmoid", {}, {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}});
    graph.append(layer, "Mul", {x});
}

}  // namespace

void append_onnx_activation(OnnxGraph& graph, trainer::Activation activation,
                            const std::string& layer) {
    using enum trainer::Activation;
    switch (activation) {
        case linear:
            return;
        case relu:
            return graph.append(layer, "Relu");
        case softmax:
            return graph.append(layer, "Softmax", {}, {{"axis", std::int64_t{-1}}});
        case relu6:
            return graph.append(
                layer, "Clip",
                {graph.number(layer + "/zero", 0.0F), graph.number(layer + "/six", 6.0F)});
        case leaky_relu:
            return graph.append(layer, "LeakyRelu", {}, {{"alpha", kLeakySlope}});
        case elu:
            return graph.append(layer, "Elu", {}, {{"alpha", 1.0F}});
        case gelu:
            return append_gelu(graph, layer);
        case silu:
            return append_silu(graph, layer);
        case tanh:
            return graph.append(layer, "Tanh");
        case sigmoid:
            return graph.append(layer, "Sigmoid");
        case hard_swish:
            return append_hard_swish(graph, layer);
    }
}

}  // namespace lockstep::pipeline
