#pragma once

// Whether a run's files have room in its store: told before training rather than at its first
// checkpoint.

#include <cstdint>

#include "pipeline/planning/plan.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// Bytes that a run needs at once, at least: from its start on, or to go on beside the checkpoints
// that are there.
std::int64_t least_bytes(const PlannedRun& planned, bool is_start);

// Throws StorageError (full) if the disk or the user's quota has less. The files of before, which a
// start removes, count as free. Where the system does not tell its room there is enough.
void require_space(const PlannedRun& planned, const storage::RunFiles& files, bool is_start);

}  // namespace lockstep::pipeline
