#pragma once

// Inside storage only: HDF5's return codes as errors.

#include <hdf5.h>

#include <string>
#include <string_view>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {

// libhdf5's reason for the call that failed last, from where it began; "" without one.
std::string hdf5_reason();

// For writing. `call` reads "create the group"; returns `code`. Throws StorageError (io).
template <typename Code>
Code check_hdf5(Code code, std::string_view call, std::string_view object) {
    if (code >= 0) return code;
    throw StorageError(StorageError::Kind::io, "HDF5 cannot " + std::string(call) + " " +
                                                   std::string(object) + ": " + hdf5_reason());
}

}  // namespace lockstep::storage
