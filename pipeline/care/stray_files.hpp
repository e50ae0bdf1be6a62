#pragma once

// What lies in a store and belongs to nothing that the database knows.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

enum class StrayKind {
    temporary_in_use,     // a file in the making
    temporary_abandoned,  // whose process is gone
    run_folder,           // of a run that the database does not know
    unknown,              // nothing of ours
};

struct StrayFile {
    StrayKind kind = StrayKind::unknown;
    std::filesystem::path path;
    std::int64_t bytes = 0;  // of a folder all its files
};

// Sorted by path. Folders of reports are looked into for temporary files only: people keep things
// there. Links are not followed.
//   read_runs   gives the ids that the database knows. Asked once the folders of runs are listed:
//               rows come before folders, so one that was there and has no row is of no run.
std::vector<StrayFile> stray_files(const storage::RunStore& store,
                                   const std::function<std::set<std::string>()>& read_runs);

// What it is usually given.
std::set<std::string> run_ids(const storage::RunDatabase& database);

// A file, or a folder with all that is in it. Returns its bytes.
// Throws StorageError (no_permission, io).
std::int64_t remove_path(const std::filesystem::path& path);

// Removes a file in the making if its process still is gone: its number may be another one's by
// now. Returns its bytes.
// Throws StorageError.
std::int64_t remove_abandoned(const std::filesystem::path& path);

// Of a file, or of all files in a folder; 0 for what is not there.
std::int64_t bytes_of(const std::filesystem::path& path);

}  // namespace lockstep::pipeline
