#pragma once

// The `config` of a layer in Keras' files.

#include <nlohmann/json_fwd.hpp>

#include "trainer/config/architecture.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

nlohmann::ordered_json keras_layer_config(const trainer::LayerConfig& layer,
                                          const trainer::LayerShape& shape);

}  // namespace lockstep::pipeline
