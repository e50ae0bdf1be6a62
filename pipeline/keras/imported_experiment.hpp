#pragma once

// An experiment file for a model of Keras.

#include <optional>
#include <string>
#include <vector>

#include "pipeline/keras/imported_training.hpp"
#include "pipeline/keras/keras_network.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

struct ImportedExperiment {
    std::string source;           // the model's file, for a comment
    std::string initial_weights;  // the path of its weights; "" for none
    ImportedTraining training{};
    // Where its file tells them, as ours do.
    std::vector<std::string> class_names{};
    std::optional<trainer::PixelScale> scale{};
};

// TOML of one run. What a model does not tell of its images and their scale is guessed from the
// network's input and classes, and comments say so.
std::string imported_toml(const KerasNetwork& network, int classes,
                          const ImportedExperiment& import);

// Whether there is a data set of such images and as many classes.
bool has_known_images(const KerasNetwork& network, int classes);

// What had to be guessed, as settings: data.scale = "unit"; empty where the file tells all.
std::vector<std::string> guesses_of(const KerasNetwork& network, int classes,
                                    const ImportedExperiment& import);

// How many values the network ends in; 0 where that is an image.
int classes_of(const KerasNetwork& network);

}  // namespace lockstep::pipeline
