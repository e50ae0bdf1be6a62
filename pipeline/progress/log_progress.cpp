#include "pipeline/progress/log_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace lockstep::pipeline {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kHeader = "Epoch ";
constexpr seconds kNews{10};  // the log is that old now and then while all is well

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

std::optional<seconds> time_since_step(const std::filesystem::path& log) {
    std::error_code error;
    const auto written = std::filesystem::last_write_time(log, error);
    if (error) return std::nullopt;
    const auto age =
        std::chrono::floor<seconds>(std::filesystem::file_time_type::clock::now() - written);
    return std::max(age, seconds(0));  // the clock of another machine may be ahead
}

std::string step_age_text(seconds age) {
    if (age < kNews) return {};
    if (age < kLongWithoutStep) return fmt::format("last step {} s ago", age.count());
    if (age < 2 * kLongWithoutStep) return fmt::format("no step for {} s", age.count());
    if (age < hours(2))
        return fmt::format("no step for {} min", std::chrono::floor<minutes>(age).count());
    return fmt::format("no step for {} h", std::chrono::floor<hours>(age).count());
}

}  // namespace lockstep::pipeline
