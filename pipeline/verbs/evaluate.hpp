#pragma once

#include "pipeline/launcher.hpp"
#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep evaluate RUN_OR_WEIGHTS`: loss and accuracy of saved weights on a data set. The weights
// are those of a run of the store, or of any Keras weights file with a network of these shapes.
int evaluate(const EvaluateOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
