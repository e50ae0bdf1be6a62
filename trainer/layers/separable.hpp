#pragma once

// SeparableConv2D: a depthwise convolution, then one of 1 x 1. In a network it is two nodes, each a
// convolution as any other, over the tensors of one layer:
//
//   depthwise_kernel [KH, KW, IC, depth_multiplier], pointwise_kernel [1, 1, IC x depth_multiplier,
//   OC], bias [OC]; bias and activation stand behind the second.

#include <memory>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

// Both declare their tensors, so the depthwise one is made first.
std::unique_ptr<Layer> make_depthwise(const LayerSetting& setting, ComputeEngine& engine,
                                      Parameters& parameters);
std::unique_ptr<Layer> make_pointwise(const LayerSetting& setting, ComputeEngine& engine,
                                      Parameters& parameters);

}  // namespace lockstep::trainer
