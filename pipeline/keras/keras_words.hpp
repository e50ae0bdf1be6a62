#pragma once

// Keras' names of classes and our words of the same things.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

// "glorot_uniform" -> "GlorotUniform".
std::string camel_case(std::string_view word);

// Keras 3's word for an activation: what we call hard_swish, it calls hard_silu.
std::string_view keras_activation(std::string_view word);
// The other way; Keras 2's words too.
std::string_view our_activation(std::string_view keras_word);

// Whether Keras has that class; of others its files say that kernels begin as zeros, which is of no
// matter beside their weights.
bool is_of_keras(trainer::Initializer initializer);

// A value of Keras' files, short enough for a message.
std::string text_in_message(const nlohmann::ordered_json& value);

}  // namespace lockstep::pipeline
