#pragma once

// A whole network in a file of Keras 2 or 3, whichever it is: an archive (.keras), a whole-model
// HDF5 file (.h5), or its architecture alone as JSON (model.to_json()), which has no weights.

#include <filesystem>

#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// By its first bytes, whatever it is called. Throws StorageError
//   missing, no_permission, io   as read_file() does
//   bad_data   none of the three, weights alone, or damaged
ModelFile read_keras_model(const std::filesystem::path& path);

}  // namespace lockstep::storage
