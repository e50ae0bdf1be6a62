#pragma once

// How Keras' files say which layers of a Functional model read which.

#include <nlohmann/json_fwd.hpp>

#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// Adds to a layer's JSON whom it reads, in Keras 2's words and in Keras 3's.
void add_keras2_inputs(const KerasLayer& layer, nlohmann::ordered_json& json);
// Throws std::invalid_argument if a layer reads one that there is not.
void add_keras3_inputs(const KerasModel& model, const KerasLayer& layer,
                       nlohmann::ordered_json& json);

// Adds to the model's config which layers are its ends: the first and the last.
void add_ends(const KerasModel& model, nlohmann::ordered_json& config);

}  // namespace lockstep::storage
