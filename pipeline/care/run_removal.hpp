#pragma once

// Runs taken out of a store.

#include <cstdint>
#include <string>

#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// Removes the run's rows, then its folder; and with an experiment's last run its row and its
// reports. A crash between the two leaves a folder that `fsck` and `gc` know as one without a run.
// Returns the bytes of the files.
// Throws Failure (kExitCannotCreate) if the run is being trained, StorageError.
std::int64_t remove_stored_run(const storage::RunStore& store, storage::RunDatabase& database,
                               const storage::RunRow& run);

}  // namespace lockstep::pipeline
