#include "storage/files/durability.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "storage/files/file_descriptor.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

[[noreturn]] void refuse_folder(const fs::path& folder, const std::error_code& error) {
    const bool is_forbidden = error == std::errc::permission_denied ||
                              error == std::errc::read_only_file_system ||
                              error == std::errc::operation_not_permitted;
    throw StorageError(is_forbidden ? Kind::no_permission : Kind::cannot_create,
                       fmt::format("cannot make the folder {}: {}", folder.string(),
                                   error ? error.message() : "something else stands there"));
}

[[noreturn]] void refuse_sync(const fs::path& path) {
    throw StorageError(Kind::io, fmt::format("cannot make durable {}: {}", path.string(),
                                             std::generic_category().message(errno)));
}

// A folder of that name would be "File exists" to the system, and a file be made where it points.
void refuse_dangling(const fs::path& path) {
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return;  // no link
    throw StorageError(Kind::cannot_create,
                       fmt::format("cannot make the folder {}: it is a link to {}, which is not "
                                   "there",
                                   path.string(), target.string()));
}

// From the lowest that is there, that one not, to `folder`.
std::vector<fs::path> missing_folders(const fs::path& folder) {
    std::vector<fs::path> missing;
    std::error_code unknown;
    for (fs::path each = folder; !each.empty() && !fs::exists(each, unknown);) {
        missing.insert(missing.begin(), each);
        const fs::path above = each.parent_path();
        if (above == each) break;
        each = above;
    }
    return missing;
}

fs::path folder_above(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

void make_folders(const fs::path& folder) {
    const std::vector<fs::path> missing = missing_folders(folder);
    for (const fs::path& each : missing) refuse_dangling(each);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error || !fs::is_directory(folder, error)) refuse_folder(folder, error);
    for (const fs::path& made : missing) sync_folder(folder_above(made));
}

void sync_folder(const fs::path& folder) {
    const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A folder that others may write in and nobody may read cannot be opened.
    if (!opened.is_open() && errno == EACCES) return;
    const bool is_synced = opened.is_open() && ::fsync(opened.get()) == 0;
    if (is_synced || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return;
    refuse_sync(folder);
}

void sync_file(const fs::path& file) {
    const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.get()) != 0) refuse_sync(file);
}

}  // namespace lockstep::storage
