#pragma once

// lost+found/ in the store: where `fsck --repair` puts what it does not know or cannot use. Nothing
// there is read again; people look at it, and delete it.

#include <filesystem>

#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

inline constexpr const char* kLostAndFound = "lost+found";

// A free name there for something of the store; its folders are made.
// Throws StorageError (cannot_create, no_permission, io).
std::filesystem::path place_for_lost(const storage::RunStore& store,
                                     const std::filesystem::path& path);

// Moves a file or a folder there, under its path in the store, numbered where that is taken.
// Throws StorageError as above.
void move_to_lost_and_found(const storage::RunStore& store, const std::filesystem::path& path);

}  // namespace lockstep::pipeline
