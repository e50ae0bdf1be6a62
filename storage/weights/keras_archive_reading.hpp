#pragma once

// Inside storage only: Keras 3's archives.

#include <span>
#include <string>

#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// Throws StorageError (bad_data) if it is damaged or another program's.
ModelFile parse_keras_archive(std::span<const std::byte> archive, const std::string& origin);

}  // namespace lockstep::storage
