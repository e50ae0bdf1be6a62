#pragma once

// What kind of file system a path lies on, how much room it has, whether its locks work, and what
// lies in a folder.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace lockstep::storage {

struct FileSystemKind {
    std::string_view name;    // "ext4", "NFS", "Lustre"; "" for one that is not known by name
    bool is_network = false;  // shared between machines
};

// By the number that statfs(2) calls f_type.
FileSystemKind file_system_kind(std::int64_t type);
// Of a path that exists; nothing where the system does not tell.
std::optional<std::int64_t> file_system_type(const std::filesystem::path& path);

// Bytes that are free for this user there, and what is left of the user's quota. Nothing where the
// system does not tell: of quotas on network file systems, before Linux 5.14, and where none is
// set.
std::optional<std::int64_t> free_bytes(const std::filesystem::path& path);
std::optional<std::int64_t> quota_bytes_left(const std::filesystem::path& path);

enum class LockSupport { works, missing, does_not_exclude, not_tried };
// Tries flock() on a file of its own in `folder`, which it removes again. not_tried: no file can be
// made there.
LockSupport lock_support(const std::filesystem::path& folder);

// Sorted; none where the folder cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

}  // namespace lockstep::storage
