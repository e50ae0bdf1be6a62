#include "pipeline/care/run_removal.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

#include "pipeline/care/run_holder.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

std::int64_t remove_folder(const fs::path& folder) {
    const std::int64_t bytes = bytes_of(folder);
    std::error_code error;
    fs::remove_all(folder, error);
    if (!error) return bytes;
    const bool is_forbidden = error == std::errc::permission_denied;
    throw storage::StorageError(
        is_forbidden ? storage::StorageError::Kind::no_permission : storage::StorageError::Kind::io,
        "cannot remove " + folder.string() + ": " + error.message());
}

}  // namespace

std::int64_t remove_stored_run(const storage::RunStore& store, storage::RunDatabase& database,
                               const storage::RunRow& run) {
    require_not_held(store, database, run.run);
    const fs::path folder = store.run_files(run.run).folder;
    std::error_code error;
    std::optional<RunLock> lock;
    if (fs::is_directory(folder, error)) lock = RunLock::require(folder);
    database.remove_run(run.run);
    std::int64_t bytes = remove_folder(folder);
    if (database.runs(run.experiment).empty()) {
        bytes += remove_folder(store.report_folder(run.experiment));
    }
    return bytes;
}

}  // namespace lockstep::pipeline
