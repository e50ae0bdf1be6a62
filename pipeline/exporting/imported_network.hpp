#pragma once

// A model of Keras as a network of ours with its weights.

#include <filesystem>
#include <string>

#include "pipeline/keras/keras_network.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::pipeline {

struct ImportedNetwork {
    KerasNetwork network;
    int classes = 0;
    trainer::Architecture architecture;
    trainer::NamedTensors weights;  // none where the file has the architecture alone
    std::string training_json;      // "" where the model was not compiled
};

// Throws
//   StorageError           if the file is missing, damaged or no model of Keras
//   Failure (65)           if the network cannot be expressed here, or its layers do not fit
//   trainer::WeightsError  if the weights are of another network, or not finite
ImportedNetwork read_imported_network(const std::filesystem::path& model);

}  // namespace lockstep::pipeline
