#pragma once

// More epochs without starting over. Nothing of a training depends on how many epochs it is planned
// for but where it ends, and a schedule that is stretched over all of them. So a run whose settings
// are those of a finished one but for more epochs has that one's epochs to the bit, and may go on
// from its last checkpoint.

#include <optional>
#include <string>

#include "pipeline/planning/plan.hpp"
#include "pipeline/recording/run_parent.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

struct ParentSearch {
    std::optional<RunParent> parent;  // of several the one of most epochs
    std::string refusal;              // where one was found that cannot be gone on from: why
};

// Looks through the runs of the store, whatever they are called. A parent's files are those of the
// digests in the database, and were computed with kernels of the same bits as this process has.
// Throws StorageError where the store cannot be read at all.
ParentSearch find_parent(const storage::RunStore& store, const storage::RunDatabase& database,
                         const PlannedRun& planned, const std::string& data_digest,
                         const RunSetting& setting);

}  // namespace lockstep::pipeline
