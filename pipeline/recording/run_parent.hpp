#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/records/records.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// A finished run that another one, of more epochs and else the same settings, goes on from: read
// and verified.
struct RunParent {
    std::string id;
    trainer::TrainState state;                 // at the end of its last epoch
    std::optional<storage::NamedArrays> best;  // of best.h5, where the run keeps one
    std::vector<storage::EpochRow> epochs;
    std::vector<storage::StepRow> steps;
};

}  // namespace lockstep::pipeline
