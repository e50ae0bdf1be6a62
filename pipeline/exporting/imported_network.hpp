#pragma once

// The network that a model of Keras brings along.

#include <string>

#include "pipeline/keras/keras_network.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {

struct ImportedNetwork {
    KerasNetwork network;
    int classes = 0;  // one a value that it ends in
};

// From then on the file's arrays name their layers as the network does. `origin` names the file in
// messages.
// Throws Failure (65) if the network cannot be expressed here, its layers do not fit, or it ends in
// something else than a logit or a probability for each class. Networks that were trained here may
// end in any activation: their loss took what it gives for logits.
ImportedNetwork imported_network(storage::ModelFile& file, const std::string& origin);

}  // namespace lockstep::pipeline
