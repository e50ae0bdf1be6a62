#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep export weights RUN_OR_WEIGHTS --format FORMAT`: a saved network in a file that other
// programs read (docs/exports.md). Prints the file's path; how it wants its pixels goes to stderr.
// Two exports of the same weights are equal to the byte.
int export_weights(const ExportWeightsOptions& options);

}  // namespace lockstep::pipeline
