#pragma once

// Completion of `lockstep ...` in a shell, as a script that the shell reads: verbs, options, words
// to choose from, files and folders, and the runs and experiments of the store that is named in the
// line, or of ./lockstep-store.

#include <string>

#include "pipeline/command_line/command_tree.hpp"

namespace lockstep::pipeline {

enum class Shell { bash, zsh, fish };

std::string completion_script(const Command& program, Shell shell);

}  // namespace lockstep::pipeline
