#pragma once

// Folders, names in them and files that a crash of the machine does not take back.

#include <filesystem>

namespace lockstep::storage {

// Makes it with all above it that are missing. StorageError no_permission or cannot_create, also
// where something else stands there; io if it cannot be made durable.
void make_folders(const std::filesystem::path& folder);

// Makes the names in it durable: files made, renamed or removed there. Nothing happens where the
// file system cannot do that (FUSE, CIFS). StorageError io where the disk fails.
void sync_folder(const std::filesystem::path& folder);

// Makes what was written to it durable, by whomever. StorageError io.
void sync_file(const std::filesystem::path& file);

}  // namespace lockstep::storage
