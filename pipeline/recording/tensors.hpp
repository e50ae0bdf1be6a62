#pragma once

// Tensors between the rooms: the trainer's values and storage's, which know nothing of each other.

#include <string>

#include "storage/records/records.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

storage::NamedArrays to_arrays(trainer::NamedTensors tensors);

// The weights of any Keras file as tensors of this network: matched by the names of layers, by
// their places or by their order (matched_arrays.hpp), and named as the network's own layers.
//   origin   what to call the file in messages
// Throws
//   trainer::WeightsError   naming the first layer that differs, what it needs and what was found,
//                           or the first value that is no finite number
trainer::NamedTensors to_tensors(storage::ModelFile file, const trainer::Architecture& architecture,
                                 const std::string& origin);

// The training state of a checkpoint, and back. The weights' names are our own already.
void put_state(trainer::TrainState state, storage::CheckpointState& checkpoint);
trainer::TrainState train_state(storage::CheckpointState checkpoint);

// What was validated of it: the average of the weights, where the run keeps one.
const storage::NamedArrays& evaluated_weights(const storage::CheckpointState& checkpoint);

}  // namespace lockstep::pipeline
