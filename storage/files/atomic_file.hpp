#pragma once

// Files that are whole or absent. A new content is written beside the file
// (NAME.tmp.HOST-PIDNAMESPACE.PID), made durable, and then takes the name in one rename; so a
// reader, a crash or a full disk sees the old bytes or the new ones, never a mixture.
//
// Every function throws StorageError, with the path and the system's reason in it:
//   missing         nothing of that name (reading)
//   cannot_create   the folder is missing, or a folder stands where the file should
//   no_permission   modes or a read-only file system forbid it
//   bad_data        reading something that is no regular file, or larger than it may be
//   io              anything else: disk full, quota, failing device

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::storage {

using Bytes = std::vector<std::byte>;

// What an artifact row says of a file that was written.
struct SavedFile {
    std::int64_t bytes = 0;
    std::string sha256;
};

// Called once a new content is durable, right before it takes its name: what it throws leaves the
// old one as it was, and nothing beside it.
using BeforeNaming = std::function<void()>;

// Replaces or creates `path`: write, fsync, rename, fsync of the folder. On an error before the
// rename the old file is untouched and nothing is left beside it. Only a failing fsync of the
// folder is reported with the new content already in place.
SavedFile replace_file(const std::filesystem::path& path, std::span<const std::byte> content,
                       const BeforeNaming& before_naming = {});
SavedFile replace_file(const std::filesystem::path& path, std::string_view content);

// The same, and the old content stays as `previous` (in the same folder). The new content is
// durable beside both before the first of the two renames; between them only `previous` exists. If
// the second one fails, the first is undone.
SavedFile replace_file_keeping(const std::filesystem::path& previous,
                               const std::filesystem::path& path,
                               std::span<const std::byte> content,
                               const BeforeNaming& before_naming = {});

// Renames within one folder and makes it durable; `to` is replaced if it exists.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

// The bytes of a regular file. Never blocks: a FIFO or a device is refused. So is a file of more
// than `most` bytes, or more than the machine has memory, before anything is allocated for it.
Bytes read_file(const std::filesystem::path& path, std::int64_t most = INT64_MAX);

// Where a new content of `path` is written before it takes the name: NAME.tmp.HOST.PID.
std::filesystem::path temporary_name(const std::filesystem::path& path);

// What a name says of its file: that of a file in the making, whose process lives (or may live), or
// is gone (as sweep_temporary_files() judges it).
enum class TemporaryFile { no, in_use, abandoned };
TemporaryFile temporary_file(const std::filesystem::path& path);

// Removes temporary files in `folder` that nobody will finish: those of this host whose process is
// gone (or has this process' number: call it before writing), and those of other hosts that are
// older than an hour. Returns how many. Files that vanish meanwhile are no error.
int sweep_temporary_files(const std::filesystem::path& folder);

}  // namespace lockstep::storage
