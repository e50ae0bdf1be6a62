#include "storage/files/run_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestRunId = 80;

bool is_safe_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool is_safe(std::string_view name, std::size_t longest) {
    return !name.empty() && name.size() <= longest && name.front() != '.' && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), is_safe_character);
}

// A refused name may hold anything; in a message it must not move a terminal's cursor.
std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 100));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

void require_safe(bool is_name_safe, std::string_view what, std::string_view name,
                  std::size_t longest) {
    if (is_name_safe) return;
    throw StorageError(Kind::bad_data,
                       fmt::format("\"{}\" is no safe name of {}: 1 to {} of A-Z a-z 0-9 . _ - and "
                                   "neither . nor - in front",
                                   printable(name), what, longest));
}

fs::path absolute_path(const fs::path& path) {
    std::error_code error;
    fs::path absolute = fs::absolute(path, error).lexically_normal();
    if (error) {
        throw StorageError(
            Kind::io, fmt::format("cannot find {} from here: {}", path.string(), error.message()));
    }
    return absolute.has_filename() ? absolute : absolute.parent_path();
}

void require_writable(const fs::path& folder) {
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return;
    throw StorageError(Kind::no_permission,
                       fmt::format("cannot write in the folder {}: {}", folder.string(),
                                   std::generic_category().message(errno)));
}

// A link is replaced.
void require_place_of_file(const fs::path& file) {
    std::error_code unknown;
    const fs::file_status status = fs::symlink_status(file, unknown);
    if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_symlink(status)) return;
    throw StorageError(
        Kind::cannot_create,
        fmt::format("cannot write {}: something that is no file stands there", file.string()));
}

// Whether the folder is there.
bool require_folder_or_nothing(const fs::path& folder) {
    std::error_code unknown;
    if (fs::is_directory(folder, unknown)) return true;
    const fs::file_status status = fs::symlink_status(folder, unknown);
    if (!fs::exists(status)) return false;
    throw StorageError(
        Kind::cannot_create,
        fmt::format("cannot make the folder {}: {}", folder.string(),
                    fs::is_symlink(status) ? "it is a link to what is no folder, or not there"
                                           : "something else stands there"));
}

}  // namespace

bool is_safe_name(std::string_view name) { return is_safe(name, kLongestName); }
bool is_safe_run_id(std::string_view run) { return is_safe(run, kLongestRunId); }

RunStore::RunStore(fs::path root) : root_(std::move(root)) {}

RunStore RunStore::create(const fs::path& root) {
    RunStore store(absolute_path(root));
    try {
        make_folders(store.root_);
        require_writable(store.root_);
    } catch (const StorageError& error) {
        throw NoStoreError(error.kind(), error.what());
    }
    sweep_temporary_files(store.root_);
    return store;
}

RunStore RunStore::open(const fs::path& root) {
    RunStore store(absolute_path(root));
    std::error_code error;
    if (!fs::is_directory(store.root_, error)) {
        throw NoStoreError(Kind::missing,
                           fmt::format("there is no store at {}", store.root_.string()));
    }
    return store;
}

fs::path RunStore::database() const { return root_ / "lockstep.db"; }

RunFiles RunStore::run_files(std::string_view run) const {
    require_safe(is_safe_run_id(run), "a run", run, kLongestRunId);
    const fs::path folder = root_ / "runs" / run;
    return {.folder = folder,
            .checkpoint = folder / "checkpoint.h5",
            .previous_checkpoint = folder / "checkpoint.prev.h5",
            .best = folder / "best.h5",
            .final_weights = folder / "final.h5",
            .predictions = folder / "predictions.h5",
            .effective_config = folder / "effective.toml",
            .log = folder / "log.txt"};
}

fs::path RunStore::report_folder(std::string_view experiment) const {
    require_safe(is_safe_name(experiment), "an experiment", experiment, kLongestName);
    return root_ / "reports" / experiment;
}

RunFiles RunStore::make_run_folder(std::string_view run) const {
    RunFiles files = run_files(run);
    make_folders(files.folder);
    require_writable(files.folder);
    return files;
}

void RunStore::require_places_of_files(std::string_view run) const {
    const RunFiles files = run_files(run);
    for (const fs::path* file :
         {&files.checkpoint, &files.previous_checkpoint, &files.best, &files.final_weights,
          &files.predictions, &files.effective_config, &files.log}) {
        std::error_code unknown;
        const fs::file_status status = fs::symlink_status(*file, unknown);
        if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_symlink(status)) continue;
        throw StorageError(
            Kind::cannot_create,
            fmt::format("cannot write {}: something that is no file stands there", file->string()));
    }
}

void RunStore::require_place_of_report(std::string_view experiment) const {
    const fs::path folder = report_folder(experiment);
    for (const fs::path& each : {folder.parent_path(), folder}) {
        if (!require_folder_or_nothing(each)) return require_writable(each.parent_path());
    }
    require_writable(folder);
    for (const char* name : {"report.html", "report.md", "report.csv", "pairs.csv"})
        require_place_of_file(folder / name);
}

void RunStore::sweep_run_folder(std::string_view run) const {
    sweep_temporary_files(run_files(run).folder);
}

fs::path RunStore::make_report_folder(std::string_view experiment) const {
    fs::path folder = report_folder(experiment);
    make_folders(folder);
    require_writable(folder);
    sweep_temporary_files(folder);
    return folder;
}

void RunStore::remove_run_files(std::string_view run) const {
    const RunFiles files = run_files(run);
    for (const fs::path* file :
         {&files.checkpoint, &files.previous_checkpoint, &files.best, &files.final_weights,
          &files.predictions, &files.effective_config}) {
        std::error_code error;
        fs::remove(*file, error);
        if (error) {
            throw StorageError(
                error == std::errc::permission_denied     ? Kind::no_permission
                : error == std::errc::directory_not_empty ? Kind::cannot_create
                                                          : Kind::io,
                fmt::format("cannot remove {}: {}", file->string(), error.message()));
        }
    }
}

std::string RunStore::relative_path(const fs::path& file) const {
    return absolute_path(file).lexically_relative(root_).generic_string();
}

}  // namespace lockstep::storage
