#pragma once

// Keras 3's own files: weights by the place of their layer (*.weights.h5), and a whole network as a
// zip archive (*.keras). Made of the same values as a model.h5 (weights_file.hpp); the layouts are
// those of Keras 3's saving/saving_lib.py. docs/exports.md describes them.
//
// The bytes are a function of the values alone; the times that Keras wants in an archive are fixed.

#include <string>

#include "storage/files/atomic_file.hpp"
#include "storage/records/records.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// layers/<class in snake case>[_k]/vars/<n>: the k-th layer of its class (none for the first), its
// n-th array. Layers without weights are left out.
// Throws as model_file_bytes() does.
Bytes keras_weights_bytes(const KerasModel& model, const NamedArrays& weights);

// metadata.json, config.json and model.weights.h5.
//   notes_json   an object that metadata.json keeps as "lockstep"; Keras does not read it
// Throws as model_file_bytes() does, and std::length_error from 4 GiB on.
Bytes keras_archive_bytes(const KerasModel& model, const NamedArrays& weights,
                          const std::string& notes_json);

}  // namespace lockstep::storage
