#pragma once

// How a model of Keras was compiled, in the words of experiment files.

#include <string>
#include <vector>

namespace lockstep::pipeline {

struct ImportedTraining {
    std::vector<std::string> lines{};     // of [train]: optimizer = { ... }, label_smoothing = ...
    std::vector<std::string> left_out{};  // what has no word here: optimizer SGD: clipnorm = 1.0
};

//   training_json     a training_config of Keras 2 or a compile_config of Keras 3; "" for none
//   ends_in_softmax   whether the network gives probabilities; if not, it gives logits
//   origin            names the model in messages
// Throws Failure (65) where that is no JSON, or no table.
ImportedTraining imported_training(const std::string& training_json, bool ends_in_softmax,
                                   const std::string& origin);

}  // namespace lockstep::pipeline
