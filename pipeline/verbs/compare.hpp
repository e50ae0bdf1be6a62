#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep compare [RUN...]`: runs side by side, with what their sources printed.
int compare(const CompareOptions& options);

}  // namespace lockstep::pipeline
