#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep summary FILE`: Keras' model.summary() of every architecture of the file.
int summary(const SummaryOptions& options);

}  // namespace lockstep::pipeline
