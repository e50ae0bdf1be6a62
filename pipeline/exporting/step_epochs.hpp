#pragma once

// Steps have no time of their own in the store.

#include <span>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// The epoch that each step is of, from which other tools take the step's time; of those of an epoch
// that has not ended the last one that has. Pointers into `epochs`; empty where no epoch has ended.
//   epochs, steps   of one run, in order
std::vector<const storage::EpochRow*> step_epochs(std::span<const storage::EpochRow> epochs,
                                                  std::span<const storage::StepRow> steps);

}  // namespace lockstep::pipeline
