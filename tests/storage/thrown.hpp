#pragma once

#include <stdexcept>
#include <string_view>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {

// The StorageError that `call` throws; another error if it throws none.
template <typename Call>
StorageError thrown_by(Call call) {
    try {
        call();
    } catch (const StorageError& error) {
        return error;
    }
    throw std::logic_error("no StorageError was thrown");
}

template <typename Call>
StorageError::Kind kind_thrown_by(Call call) {
    return thrown_by(call).kind();
}

inline bool mentions(const StorageError& error, std::string_view text) {
    return std::string_view(error.what()).find(text) != std::string_view::npos;
}

}  // namespace lockstep::storage
