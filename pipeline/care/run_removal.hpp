#pragma once

// Runs, and folders that are of no run, taken out of a store.
//
// What is to go was judged a while ago: files were read since, a person was asked. So whoever acts
// asks the database again, inside a transaction in which no run can be registered or claimed.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

struct ChosenRun {
    storage::RunRow run;
    int attempt = 0;  // its newest one when it was chosen; 0: none
};

// Removes the run's rows, then its folder; and with an experiment's last run its row and its
// reports. A crash between the two leaves a folder that `fsck` and `gc` know as one without a run.
// Returns the bytes of the files.
// Throws Failure (kExitCannotCreate) if the run is being trained, or was begun again since it was
// chosen; StorageError.
std::int64_t remove_stored_run(const storage::RunStore& store, storage::RunDatabase& database,
                               const ChosenRun& chosen);

// Calls `work` if a folder of runs/ is of no run, and of none that somebody begins or takes in from
// another store; no run can be registered meanwhile. False: it was not called.
bool do_if_orphan(storage::RunDatabase& database, const std::filesystem::path& folder,
                  const std::function<void()>& work);

// Returns the bytes that were freed; 0 where the folder is a run's by now.
// Throws StorageError.
std::int64_t remove_orphan(storage::RunDatabase& database, const std::filesystem::path& folder);

}  // namespace lockstep::pipeline
