#pragma once

#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// Whether somebody trains a run: by its lock, and by its lease where locks are not seen (another
// host on a file system without them). Such a run is not to be removed.
bool is_held(const storage::RunStore& store, const storage::RunDatabase& database,
             const std::string& run);

// 0: none has begun. Numbers only grow: the same one means that nobody has begun it since.
int newest_attempt(const storage::RunDatabase& database, const std::string& run);

// Throws Failure (kExitCannotCreate) if it is.
void require_not_held(const storage::RunStore& store, const storage::RunDatabase& database,
                      const std::string& run);

}  // namespace lockstep::pipeline
