#pragma once

// What Keras' files can not say of a training.

#include <string>
#include <vector>

#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

// The settings of a run that its training configuration (keras_config.hpp) leaves out, as
// experiment files call them: a model that is loaded and trained on goes on without them.
std::vector<std::string> untold_training(const trainer::RunConfig& config);

}  // namespace lockstep::pipeline
