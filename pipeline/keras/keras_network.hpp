#pragma once

// The network in a model of Keras 2 or 3, Sequential or Functional.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/config/layer_config.hpp"
#include "trainer/config/shape.hpp"

namespace lockstep::pipeline {

struct KerasNetwork {
    std::string name;
    trainer::Shape input;
    // In an order in which each reads only what is in front of it. Sources are none in a chain.
    std::vector<trainer::LayerConfig> layers;
    trainer::Architecture architecture;  // their shapes
    // Layers are called as in Keras, or, where that is no name here, as this says.
    std::map<std::string, std::string> renamed;
};

// `origin` names the model in messages.
// Throws Failure (65) that names, layer by layer, everything that has no word here, or the first
// layer that cannot take what it reads.
KerasNetwork read_keras_network(const std::string& model_json, std::string_view origin);

}  // namespace lockstep::pipeline
