#include "pipeline/care/lost_and_found.hpp"

#include <fmt/format.h>

#include <system_error>

#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {

namespace fs = std::filesystem;

fs::path place_for_lost(const storage::RunStore& store, const fs::path& path) {
    const fs::path wanted = store.root() / kLostAndFound / store.relative_path(path);
    std::error_code error;
    fs::create_directories(wanted.parent_path(), error);
    if (error) {
        throw storage::StorageError(
            storage::StorageError::Kind::cannot_create,
            fmt::format("cannot make {}: {}", wanted.parent_path().string(), error.message()));
    }
    fs::path place = wanted;
    for (int number = 1; fs::exists(fs::symlink_status(place, error)); ++number) {
        place = wanted;
        place += fmt::format(".{}", number);
    }
    return place;
}

void move_to_lost_and_found(const storage::RunStore& store, const fs::path& path) {
    storage::rename_file(path, place_for_lost(store, path));
}

}  // namespace lockstep::pipeline
