#include "pipeline/care/lost_and_found.hpp"

#include <fmt/format.h>

#include <system_error>

#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"

namespace lockstep::pipeline {

namespace fs = std::filesystem;

fs::path place_for_lost(const storage::RunStore& store, const fs::path& path) {
    const fs::path wanted = store.root() / kLostAndFound / store.relative_path(path);
    std::error_code error;
    storage::make_folders(wanted.parent_path());
    std::error_code unknown;
    fs::path place = wanted;
    for (int number = 1; fs::exists(fs::symlink_status(place, unknown)); ++number) {
        place = wanted;
        place += fmt::format(".{}", number);
    }
    return place;
}

void move_to_lost_and_found(const storage::RunStore& store, const fs::path& path) {
    storage::rename_file(path, place_for_lost(store, path));
}

}  // namespace lockstep::pipeline
