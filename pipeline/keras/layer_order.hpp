#pragma once

// The order in which Keras counts the layers of a network: of its weights, in files and in
// get_weights(), and of its summary.

#include <cstddef>
#include <span>
#include <vector>

#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

// The numbers of the layers in Keras' order, which is one in which each comes behind what it reads:
// by their distance from the last layer, the farthest first; of one distance those first that are
// met first on the way back from the last layer, along the inputs in their order (map_graph() in
// Keras' function.py). Of a chain as they stand.
std::vector<std::size_t> keras_order(std::span<const trainer::LayerConfig> layers);

// The layers in another order, that of `order`, with the numbers of their sources.
std::vector<trainer::LayerConfig> reordered(std::span<const trainer::LayerConfig> layers,
                                            std::span<const std::size_t> order);

}  // namespace lockstep::pipeline
