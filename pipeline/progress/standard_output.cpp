#include "pipeline/progress/standard_output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {

void print(std::string_view text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (is_written || errno == EPIPE) return;  // whoever read it has read enough
    throw Failure(kExitInputOutput,
                  fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

}  // namespace lockstep::pipeline
