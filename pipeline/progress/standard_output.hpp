#pragma once

// Results go to standard output, progress and messages to standard error.

#include <cstddef>
#include <optional>
#include <string_view>

namespace lockstep::pipeline {

// From now on standard output is print()'s alone: what libraries write to it goes to standard
// error.
void keep_standard_output();
// For a program that this process is about to become: its standard output is the one we had.
void give_back_standard_output();

// For a rank: what print() writes goes there from now on.
void replace_standard_output(int descriptor);

// Characters in a line of the terminal that print() writes to; nothing where it is none.
std::optional<std::size_t> output_width();

// Writes to standard output. Throws Failure (kExitInputOutput) if that fails.
void print(std::string_view text);

}  // namespace lockstep::pipeline
