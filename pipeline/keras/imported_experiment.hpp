#pragma once

// An experiment file for a model of Keras.

#include <string>
#include <vector>

#include "pipeline/keras/keras_network.hpp"

namespace lockstep::pipeline {

struct ImportedExperiment {
    std::string source;           // the model's file, for a comment
    std::string initial_weights;  // the path of its weights; "" for none
    std::string training_json;  // how it was compiled, in Keras 2's words or Keras 3's; "" unknown
    std::vector<std::string> class_names{};  // where its file tells them, as ours do
};

// TOML of one run. The images and their scale are no part of a model: they are guessed from the
// network's input and classes, and a comment says so.
std::string imported_toml(const KerasNetwork& network, int classes,
                          const ImportedExperiment& import);

// Whether there is a data set of such images and as many classes.
bool has_known_images(const KerasNetwork& network, int classes);

// How many values the network ends in; 0 where its end cannot be told.
int classes_of(const KerasNetwork& network);

}  // namespace lockstep::pipeline
