#pragma once

// Activations as ONNX nodes of operator set 13.

#include <string>

#include "pipeline/exporting/onnx_graph.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

void append_onnx_activation(OnnxGraph& graph, trainer::Activation activation,
                            const std::string& layer);

}  // namespace lockstep::pipeline
