#pragma once

#include "pipeline/planning/experiment_file.hpp"

namespace lockstep::pipeline {

struct SummaryOptions {
    SpecOptions spec;
};

// `lockstep summary FILE`: Keras' model.summary() of every architecture of the file.
int summary(const SummaryOptions& options);

}  // namespace lockstep::pipeline
