#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep show RUN`: all that is known of one run. As CSV, its epochs alone.
int show(const ShowOptions& options);

}  // namespace lockstep::pipeline
