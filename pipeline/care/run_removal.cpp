#include "pipeline/care/run_removal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "pipeline/care/run_holder.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/file_system.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kUntouched{1};

bool is_touched(const fs::path& path) {
    std::error_code vanished;
    const auto written = fs::last_write_time(path, vanished);
    return !vanished && fs::file_time_type::clock::now() - written < kUntouched;
}

// `merge` fills a folder, under its lock, before the run has a row. Where there are no locks, by
// its files: they are being written.
bool is_being_filled(const fs::path& folder) {
    const RunHolder holder = holder_of(folder);
    if (holder != RunHolder::not_told) return holder == RunHolder::somebody;
    if (is_touched(folder)) return true;
    return std::ranges::any_of(storage::entries_of(folder), is_touched);
}

// Out of the way at once, so that nobody waits for the database while many files are removed. A
// crash meanwhile leaves a folder without a run.
fs::path move_out_of_the_way(const fs::path& folder) {
    fs::path name = storage::temporary_name(folder);
    storage::rename_file(folder, name);
    return name;
}

void require_unchanged(const storage::RunStore& store, const storage::RunDatabase& database,
                       const ChosenRun& chosen) {
    const std::string& run = chosen.run.run;
    require_not_held(store, database, run);
    if (newest_attempt(database, run) == chosen.attempt) return;
    throw Failure(
        kExitCannotCreate,
        fmt::format("run {} was begun again since it was listed; nothing of it was removed", run));
}

std::int64_t remove_report(const storage::RunStore& store, storage::RunDatabase& database,
                           const std::string& experiment) {
    const fs::path folder = store.report_folder(experiment);
    fs::path moved;
    database.write_at_once([&] {
        std::error_code error;
        const bool is_needed = !database.runs(experiment).empty();
        if (!is_needed && fs::is_directory(folder, error)) moved = move_out_of_the_way(folder);
    });
    return moved.empty() ? 0 : remove_path(moved);
}

}  // namespace

std::int64_t remove_stored_run(const storage::RunStore& store, storage::RunDatabase& database,
                               const ChosenRun& chosen) {
    const std::string& run = chosen.run.run;
    database.write_at_once([&] {
        require_unchanged(store, database, chosen);
        database.remove_run(run);
    });
    // Rows tell of no file that is gone: so they went first, and for good.
    const std::int64_t bytes = remove_orphan(database, store.run_files(run).folder);
    return bytes + remove_report(store, database, chosen.run.experiment);
}

bool do_if_orphan(storage::RunDatabase& database, const fs::path& folder,
                  const std::function<void()>& work) {
    bool is_orphan = false;
    database.write_at_once([&] {
        const bool is_of_run = database.find_run(folder.filename().string()).has_value();
        is_orphan = !is_of_run && !is_being_filled(folder);
        if (is_orphan) work();
    });
    return is_orphan;
}

std::int64_t remove_orphan(storage::RunDatabase& database, const fs::path& folder) {
    fs::path moved;
    do_if_orphan(database, folder, [&] {
        std::error_code error;
        if (fs::is_directory(folder, error)) moved = move_out_of_the_way(folder);
    });
    return moved.empty() ? 0 : remove_path(moved);
}

}  // namespace lockstep::pipeline
