#pragma once

// Where a run begins: from its seed, from given weights, or from a checkpoint.

#include <optional>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "trainer/environment.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

struct RunStart {
    std::optional<trainer::TrainState> state;              // of the checkpoint to go on from
    std::optional<trainer::NamedTensors> initial_weights;  // where the run starts with given ones
    storage::ResumePoint point;
    std::vector<std::string> warnings;  // one line each
};

// For a run that has never begun, as the database says. Throws Failure (kExitBadData) if it has
// checkpoints or results: the database that knew them is gone, and a start would remove them.
void require_untrained(const storage::RunStore& store, const PlannedRun& planned);

// Starts from the beginning, with the initial weights where some are given.
// Throws StorageError, WeightsError.
RunStart start_anew(const PlannedRun& planned);

// By what the bits of a checkpoint may differ from those that this process would compute: "SIMD
// target AVX2 after AVX3"; empty where they do not.
std::vector<std::string> other_kernels(const storage::CheckpointState& checkpoint,
                                       const trainer::ComputeEnvironment& environment);

// Goes on from the newest good checkpoint; starts anew where there is none yet.
// Throws Failure (kExitBadData) if the checkpoints are damaged, lost (epochs or steps are recorded,
// and none of them), or of another configuration or other data than the run's; StorageError,
// WeightsError.
RunStart resume(const storage::RunStore& store, const storage::RunDatabase& database,
                const PlannedRun& planned, const std::string& data_digest,
                const trainer::ComputeEnvironment& environment);

}  // namespace lockstep::pipeline
