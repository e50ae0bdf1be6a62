#pragma once

// The ONNX nodes of each kind of layer, in inference mode.

#include <vector>

#include "pipeline/exporting/onnx_graph.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

// Appends the layer's nodes to the graph, whose last value is its first source; `sources` are all.
void append_onnx_layer(OnnxGraph& graph, const trainer::LayerConfig& layer,
                       const trainer::LayerShape& shape,
                       const std::vector<OnnxGraphValue>& sources);

}  // namespace lockstep::pipeline
