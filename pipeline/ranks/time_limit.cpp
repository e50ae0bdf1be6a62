#include "pipeline/ranks/time_limit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "pipeline/ranks/stop_request.hpp"

namespace lockstep::pipeline {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

constexpr const char* kStopAt = "LOCKSTEP_STOP_AT";
constexpr seconds kMostReserve{60};
constexpr std::int64_t kMostSeconds = std::int64_t{10} * 366 * 24 * 3600;  // of a duration
constexpr std::int64_t kLastMoment = std::int64_t{1} << 33;                // seconds since 1970

std::optional<std::int64_t> number(std::string_view text, std::int64_t most = kMostSeconds) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < 0 || value > most) return {};
    return value;
}

std::optional<seconds> with_unit(std::string_view text) {
    constexpr std::array<std::pair<char, int>, 4> kUnits{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}}};
    const auto* unit = std::ranges::find(kUnits, text.back(), &std::pair<char, int>::first);
    if (unit == kUnits.end()) return {};
    const auto value = number(text.substr(0, text.size() - 1));
    if (!value || *value > kMostSeconds / unit->second) return {};
    return seconds(*value * unit->second);
}

// [days-]hours:minutes:seconds
std::optional<seconds> as_clock(std::string_view text) {
    std::int64_t sum = 0;
    if (const auto dash = text.find('-'); dash != std::string_view::npos) {
        const auto days = number(text.substr(0, dash));
        if (!days || *days > kMostSeconds / (24 * 3600)) return {};
        sum = *days * 24;
        text.remove_prefix(dash + 1);
    }
    for (int part = 0; part < 3; ++part) {
        const auto colon = part < 2 ? text.find(':') : text.size();
        if (colon == std::string_view::npos) return {};
        const auto value = number(text.substr(0, colon));
        if (!value) return {};
        sum = (part == 0 ? sum : sum * 60) + *value;
        if (part < 2) text.remove_prefix(colon + 1);
    }
    return seconds(sum);
}

// A short job keeps a tenth, a long one a minute.
seconds reserve(seconds whole) { return std::clamp(whole / 10, seconds(1), kMostReserve); }

// Seconds since 1970.
std::optional<std::int64_t> moment_in_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::nullopt : number(text, kLastMoment);
}

std::optional<std::int64_t> stop_time(std::optional<seconds> max_walltime) {
    if (const auto known = moment_in_environment(kStopAt)) return known;
    const auto now = std::chrono::floor<seconds>(system_clock::now()).time_since_epoch();
    if (max_walltime) return (now + *max_walltime - reserve(*max_walltime)).count();
    const auto end = moment_in_environment("SLURM_JOB_END_TIME");
    if (!end) return {};
    return *end - reserve(std::max(seconds(0), seconds(*end) - now)).count();
}

}  // namespace

std::optional<seconds> parse_duration(std::string_view text) {
    if (text.empty()) return {};
    const auto duration =
        text.find(':') == std::string_view::npos ? with_unit(text) : as_clock(text);
    if (!duration || *duration == seconds(0)) return {};
    return duration;
}

void stop_in_time(std::optional<seconds> max_walltime) {
    const auto at = stop_time(max_walltime);
    if (!at) return;
    ::setenv(kStopAt, std::to_string(*at).c_str(), 1);
    request_stop_at(system_clock::time_point(seconds(*at)));
}

}  // namespace lockstep::pipeline
