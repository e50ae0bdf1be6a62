#pragma once

// A run in Keras' own words: the JSON that makes a weights file a whole Keras model.

#include "storage/weights/weights_file.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

// A Sequential, named after the run: the input layer and `config.layers`, the keys of their JSON in
// Keras' order, and the training configuration: loss, metrics and optimizer. A network that ends
// in softmax gets a loss with from_logits = false, as backends other than TensorFlow take a second
// softmax literally.
storage::KerasModel keras_model(const trainer::RunConfig& config,
                                const trainer::Architecture& architecture);

// Whether the last layer gives probabilities; if not, it gives logits.
bool ends_in_softmax(const trainer::RunConfig& config);

}  // namespace lockstep::pipeline
