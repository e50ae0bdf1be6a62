#pragma once

#include <string>

namespace lockstep::pipeline {

// A line as the terminal that print() writes to has room for it: broken between words, what goes on
// is indented by two more than the line. Without a terminal it stays one. With a newline behind.
std::string terminal_lines(const std::string& line);

}  // namespace lockstep::pipeline
