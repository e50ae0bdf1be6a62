#pragma once

#include <cstddef>
#include <string>

namespace lockstep::pipeline {

// Help in lines of `width` characters: what is said of an option, argument or verb goes on below
// where it begins; a command of the examples goes on behind a '\\', as a shell takes it, and what
// is said of it stands below it.
std::string fitted_help(const std::string& help, std::size_t width);

}  // namespace lockstep::pipeline
