#include "pipeline/ranks/rank_lines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "pipeline/progress/progress.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kWaiting = "lockstep: warning: waiting for ";
constexpr std::string_view kLost = "lockstep: lost ";
constexpr std::string_view kLostEnd = "; the job ends, the same command goes on";
constexpr std::string_view kReady = "@lockstep-ready";
constexpr std::string_view kEnd = "@lockstep-end ";

}  // namespace

std::string waiting_line(std::string_view text) { return fmt::format("{}{}", kWaiting, text); }

std::string lost_line(std::string_view text) {
    return fmt::format("{}{}{}", kLost, text, kLostEnd);
}

std::optional<std::string> lost_in(std::string_view line) {
    if (!line.starts_with(kLost)) return std::nullopt;
    line.remove_prefix(kLost.size());
    if (line.ends_with(kLostEnd)) line.remove_suffix(kLostEnd.size());
    return std::string(line);
}

std::string ready_line() { return std::string(kReady); }

std::string end_line(int exit_code) { return fmt::format("{}{}", kEnd, exit_code); }

bool is_ready_line(std::string_view line) { return line == kReady; }

std::optional<int> end_in(std::string_view line) {
    if (!line.starts_with(kEnd)) return std::nullopt;
    line.remove_prefix(kEnd.size());
    int code = 0;
    std::from_chars(line.data(), line.data() + line.size(), code);
    return code;
}

void write_line_of_rank(std::string line) {
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody can be told that standard error is gone
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Open MPI 5 puts the end of a piece that it has read of the one stream in front of what it reads
// of the other: the line stands on its own all the same.
void tell_supervisor(const std::string& line) { write_line_of_rank("\n" + line); }

}  // namespace lockstep::pipeline
