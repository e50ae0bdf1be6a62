#include "pipeline/care/stray_files.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <system_error>

#include "pipeline/care/lost_and_found.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/file_system.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// What stands in a store beside the folders of runs; a name that ends in '*' is a beginning.
constexpr std::array<std::string_view, 9> kOfStore{
    "lockstep.db",     "lockstep.db-journal", "lockstep.db-wal",
    "lockstep.db-shm", "lockstep.db.*",       "runs",
    "reports",         kLostAndFound,         "mpirun.log"};
constexpr std::array<std::string_view, 10> kOfRun{"checkpoint.h5",  "checkpoint.prev.h5",
                                                  "best.h5",        "final.h5",
                                                  "predictions.h5", "effective.toml",
                                                  "log.txt",        "lock",
                                                  "mpirun.log",     "spool-*"};

bool matches(std::string_view name, std::string_view known) {
    if (!known.ends_with('*')) return name == known;
    return name.starts_with(known.substr(0, known.size() - 1));
}

bool is_one_of(std::string_view name, std::span<const std::string_view> known) {
    return std::ranges::any_of(known, [&](auto each) { return matches(name, each); });
}

bool is_folder(const fs::path& path) {
    std::error_code error;
    return fs::is_directory(fs::symlink_status(path, error));
}

class Search {
public:
    void store(const fs::path& root, const std::function<std::set<std::string>()>& read_runs) {
        judge(root, [](std::string_view name) { return is_one_of(name, kOfStore); });
        const auto folders = storage::entries_of(root / "runs");
        runs_ = read_runs();
        for (const fs::path& folder : folders) run(folder);
        for (const fs::path& folder : storage::entries_of(root / "reports")) {
            judge(folder, [](std::string_view) { return true; });
        }
    }
    std::vector<StrayFile> found() && { return std::move(found_); }

private:
    void run(const fs::path& folder) {
        if (!is_folder(folder)) return add(StrayKind::unknown, folder);
        if (!runs_.contains(folder.filename().string())) return add(kind_of(folder), folder);
        judge(folder, [](std::string_view name) { return is_one_of(name, kOfRun); });
    }
    // Such a temporary one is being removed.
    static StrayKind kind_of(const fs::path& folder) {
        const bool is_in_use = storage::temporary_file(folder) == storage::TemporaryFile::in_use;
        return is_in_use ? StrayKind::temporary_in_use : StrayKind::run_folder;
    }
    void judge(const fs::path& folder, const std::function<bool(std::string_view)>& is_known) {
        for (const fs::path& path : storage::entries_of(folder)) {
            const auto temporary = storage::temporary_file(path);
            if (temporary == storage::TemporaryFile::in_use) {
                add(StrayKind::temporary_in_use, path);
            } else if (temporary == storage::TemporaryFile::abandoned) {
                add(StrayKind::temporary_abandoned, path);
            } else if (!is_known(path.filename().string())) {
                add(StrayKind::unknown, path);
            }
        }
    }
    void add(StrayKind kind, const fs::path& path) {
        found_.push_back({kind, path, bytes_of(path)});
    }

    std::set<std::string> runs_;
    std::vector<StrayFile> found_;
};

}  // namespace

std::vector<StrayFile> stray_files(const storage::RunStore& store,
                                   const std::function<std::set<std::string>()>& read_runs) {
    Search search;
    search.store(store.root(), read_runs);
    return std::move(search).found();
}

std::set<std::string> run_ids(const storage::RunDatabase& database) {
    std::set<std::string> ids;
    for (const storage::RunRow& run : database.runs()) ids.insert(run.run);
    return ids;
}

std::int64_t remove_path(const fs::path& path) {
    const std::int64_t bytes = bytes_of(path);
    std::error_code error;
    fs::remove_all(path, error);
    if (!error) return bytes;
    const bool is_forbidden = error == std::errc::permission_denied;
    throw storage::StorageError(
        is_forbidden ? storage::StorageError::Kind::no_permission : storage::StorageError::Kind::io,
        "cannot remove " + path.string() + ": " + error.message());
}

std::int64_t remove_abandoned(const fs::path& path) {
    const bool is_abandoned = storage::temporary_file(path) == storage::TemporaryFile::abandoned;
    return is_abandoned ? remove_path(path) : 0;
}

std::int64_t bytes_of(const fs::path& path) {
    std::error_code error;
    const auto size_of = [&](const fs::path& file) {
        const auto size =
            fs::is_regular_file(fs::symlink_status(file, error)) ? fs::file_size(file, error) : 0;
        return error ? 0 : static_cast<std::int64_t>(size);
    };
    if (!is_folder(path)) return size_of(path);
    std::int64_t bytes = 0;
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        bytes += size_of(entry->path());
    }
    return bytes;
}

}  // namespace lockstep::pipeline
