#pragma once

// The network that a model of Keras brings along.

#include <string>

#include "pipeline/keras/keras_network.hpp"
#include "storage/weights/weights_file.hpp"
#include "trainer/config/architecture.hpp"

namespace lockstep::pipeline {

struct ImportedNetwork {
    KerasNetwork network;
    int classes = 0;
    trainer::Architecture architecture;
};

// From then on the file's arrays name their layers as the network does. `origin` names the file in
// messages.
// Throws Failure (65) if the network cannot be expressed here, or its layers do not fit.
ImportedNetwork imported_network(storage::ModelFile& file, const std::string& origin);

}  // namespace lockstep::pipeline
