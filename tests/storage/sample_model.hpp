#pragma once

// A small network and its weights, for the tests of the .h5 files.

#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// conv2d 2 2x2, batch_normalization, flatten, dense 3; on 4x4x3.
KerasModel sample_model();
NamedArrays sample_weights();
// Every field set to something of its own.
CheckpointState sample_state();

}  // namespace lockstep::storage
