#pragma once

// A layer of Keras' files as one of ours.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/layers/layer_keys.hpp"

namespace lockstep::pipeline {

//   class_name   Keras' class: Conv2D, ReLU, ...
//   config       what the layer says of itself
//   problems     gets a line for everything that has no word here, so that nothing is dropped
// Nothing where the class has none.
std::optional<LayerKind> read_keras_layer(std::string_view class_name,
                                          const nlohmann::ordered_json& config,
                                          std::vector<std::string>& problems);

// The axis that a layer names: which one its channels are hangs on the shape of what it reads.
std::optional<int> keras_axis(const nlohmann::ordered_json& config);

}  // namespace lockstep::pipeline
