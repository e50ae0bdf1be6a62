#pragma once

// How long a run's checkpoints will be.

#include <cstdint>

#include "pipeline/planning/plan.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

// Arrays of the optimizer, each as long as the trainable parameters; an average of the weights is
// one.
std::int64_t slot_count(const trainer::OptimizerConfig& optimizer);

// Bytes of the weights and slots in a checkpoint; the file is longer.
std::int64_t least_checkpoint_bytes(const PlannedRun& planned);

}  // namespace lockstep::pipeline
