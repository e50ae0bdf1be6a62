#pragma once

// A whole network in a file of Keras 2 or 3, whichever it is: an archive (.keras), a whole-model
// HDF5 file (.h5), or its architecture alone as JSON (model.to_json()).

#include <filesystem>
#include <optional>
#include <string>

#include "storage/records/records.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

struct KerasModelFile {
    std::string model_json;     // {"class_name": "Sequential", "config": {...}}
    std::string training_json;  // Keras 2's training_config or Keras 3's compile_config; "" if none
    // None where the file has the architecture alone. Names are "0", "1", ... in archives.
    std::optional<NamedArrays> weights;
};

// By its first bytes, whatever it is called. Throws StorageError
//   missing, no_permission, io   as read_file() does
//   bad_data   none of the three, weights alone, or damaged
KerasModelFile read_keras_model(const std::filesystem::path& path);

}  // namespace lockstep::storage
