#pragma once

#include <string>

#include "pipeline/command_line/command_tree.hpp"

namespace lockstep::pipeline {

// lockstep(1) in the man macros of roff: every verb with its options and examples, exit codes,
// environment variables, files.
std::string man_page(const Command& program, const std::string& version);

}  // namespace lockstep::pipeline
