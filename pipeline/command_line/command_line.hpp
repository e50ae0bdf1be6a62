#pragma once

// From argv to what is to be done.

#include "pipeline/command_line/verbs.hpp"
#include "pipeline/ranks/launcher.hpp"

namespace lockstep::pipeline {

// What the words ask for: a verb with its checked options, or a text for `--help` and `--version`.
// Does nothing yet; the result may be called once, and outlives this call.
// Throws UsageError for what it does not know, with a suggestion where one is near.
Action parse_command_line(ProcessArguments arguments);

}  // namespace lockstep::pipeline
