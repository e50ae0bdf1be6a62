#include "pipeline/progress/log_progress.hpp"

#include <algorithm>
#include <charconv>

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kHeader = "Epoch ";

// The number that a text begins with; 0 without one.
int leading_number(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

bool is_progress(std::string_view line) {
    const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
    return digits > 0 && line.substr(digits).starts_with('/') &&
           line.find(" - ") != std::string_view::npos;
}

}  // namespace

std::optional<LogProgress> log_progress(std::string_view end_of_log) {
    LogProgress last;
    // A line without its end is still being written.
    for (std::size_t end = end_of_log.find('\n'); end != std::string_view::npos;
         end = end_of_log.find('\n')) {
        const std::string_view line = end_of_log.substr(0, end);
        end_of_log.remove_prefix(end + 1);
        if (line.starts_with(kHeader)) {
            last = {leading_number(line.substr(kHeader.size())), {}};
        } else if (last.epoch > 0 && is_progress(line)) {
            last.line = line;
        } else {
            last = {};
        }
    }
    if (last.line.empty()) return std::nullopt;
    return last;
}

}  // namespace lockstep::pipeline
