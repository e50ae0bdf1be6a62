#include "storage/records/records.hpp"

#include <array>
#include <cstddef>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

// By the number of the state.
constexpr std::array<std::string_view, 5> kStateWords{"queued", "running", "finished",
                                                      "interrupted", "failed"};

}  // namespace

std::string_view to_string(RunState state) {
    return kStateWords.at(static_cast<std::size_t>(state));
}

RunState run_state_from(std::string_view text) {
    for (std::size_t i = 0; i < kStateWords.size(); ++i) {
        if (kStateWords[i] == text) return static_cast<RunState>(i);
    }
    throw StorageError(StorageError::Kind::bad_data,
                       "\"" + std::string(text) + "\" is no state of a run");
}

}  // namespace lockstep::storage
