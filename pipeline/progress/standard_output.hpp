#pragma once

// Results go to standard output, progress and messages to standard error.

#include <string_view>

namespace lockstep::pipeline {

// Writes to standard output. Throws Failure (kExitInputOutput) if that fails.
void print(std::string_view text);

}  // namespace lockstep::pipeline
