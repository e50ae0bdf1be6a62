#include "pipeline/progress/standard_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {

namespace {

// Libraries print too (oneDNN with ONEDNN_VERBOSE=1, Open MPI), by the same descriptor: theirs
// becomes standard error, and ours is another one. Where there is none, all stays as it is.
std::FILE* own_output() {
    static std::FILE* const kOutput = [] {
        const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (own < 0) return stdout;
        std::FILE* const file = ::fdopen(own, "w");
        if (file == nullptr || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return stdout;
        return file;
    }();
    return kOutput;
}

}  // namespace

void keep_standard_output() { own_output(); }

void give_back_standard_output() { ::dup2(::fileno(own_output()), STDOUT_FILENO); }

void replace_standard_output(int descriptor) {
    std::fflush(own_output());
    ::dup2(descriptor, ::fileno(own_output()));
}

std::optional<std::size_t> output_width() {
    winsize size{};
    const int descriptor = ::fileno(own_output());
    if (::isatty(descriptor) != 1 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return {};
    if (size.ws_col == 0) return {};
    return size.ws_col;
}

void print(std::string_view text) {
    std::FILE* const output = own_output();
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), output) == text.size() && std::fflush(output) == 0;
    if (is_written || errno == EPIPE) return;  // whoever read it has read enough
    throw Failure(kExitInputOutput,
                  fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

}  // namespace lockstep::pipeline
