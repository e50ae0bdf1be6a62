#pragma once

// What mpirun says of the process that ended a job, as Open MPI 4 and 5 word it.

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

struct ProcessEnd {
    std::optional<int> rank;  // none: of a host
    std::string host;         // "" if it does not say
    std::string how;          // "was killed by signal 9 (Killed)", "ended with exit code 3"
};

// The first end that a text tells of.
std::optional<ProcessEnd> first_end(std::string_view text);

}  // namespace lockstep::pipeline
