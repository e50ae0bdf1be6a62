#pragma once

// A trained network as an ONNX graph, from the bytes of images to probabilities.

#include "pipeline/exporting/export_notes.hpp"
#include "storage/exports/onnx_file.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::pipeline {

// The graph's ends.
inline constexpr const char* kOnnxInput = "pixels";          // float32 [N, height, width, channels]
inline constexpr const char* kOnnxOutput = "probabilities";  // float32 [N, classes]

// Where its nodes and constants that scale the pixels stand: no layer's name has a '/'.
inline constexpr const char* kOnnxScaling = "/pixels";

// A network in inference mode: dropout is left out, batch normalization uses its moving moments.
//
// The graph takes pixels from 0 to 255 in Keras' layout (NHWC), scales them as training did, and
// ends in a softmax whether or not the network does. Images are NCHW between its nodes; a flatten
// turns them back, so that dense kernels stay as Keras has them. Padding is always explicit, as
// Keras' "same" puts the odd zero at the bottom and right. Values are named <layer>/<operator>,
// weights <layer>/<Keras' name>.
storage::OnnxModel onnx_network(const trainer::RunConfig& config,
                                const trainer::Architecture& architecture,
                                const trainer::NamedTensors& weights,
                                const trainer::PixelScale& scale, const ExportNotes& notes);

}  // namespace lockstep::pipeline
