#pragma once

// The layers' definitions as plain loops in double, over Keras' own layouts: the oracle for what
// the trainer computes in float32 by other means.

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/config/label.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::tests {

using Values = std::vector<double>;  // of a batch: [samples, height, width, channels], row-major

Values in_double(std::span<const float> values);

// One layer's forward pass in training mode (batch statistics, but for a frozen one). Throws
// std::invalid_argument for dropout, whose mask is tested by itself.
//   parameters   the layer's tensors in the order of shape.parameters, each in Keras' layout
Values plain_forward(const trainer::LayerConfig& config, const trainer::LayerShape& shape,
                     std::span<const Values> parameters, std::span<const double> src, int samples);

// A layer of several inputs.
Values plain_merge(trainer::MergeKind kind, const trainer::LayerShape& shape,
                   std::span<const Values> src, int samples);

// All layers, in their order, to the logits: a softmax of the last one is left out.
//   parameters   of all layers, in the order of Keras' get_weights
Values plain_forward(std::span<const trainer::LayerConfig> layers,
                     const trainer::Architecture& architecture, std::span<const Values> parameters,
                     std::span<const double> src, int samples);

// Softmax cross-entropy from logits [samples, classes], mean over the samples.
double plain_loss(std::span<const double> logits, std::span<const trainer::Label> labels,
                  int classes);

}  // namespace lockstep::tests
