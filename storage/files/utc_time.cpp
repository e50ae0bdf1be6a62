#include "storage/files/utc_time.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace lockstep::storage {

std::string utc_text(std::chrono::system_clock::time_point time) {
    using std::chrono::milliseconds;
    const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const std::time_t calendar_time = seconds.count();
    std::tm utc{};
    gmtime_r(&calendar_time, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       milliseconds(since_epoch - seconds).count());
}

std::optional<double> unix_seconds(std::string_view utc) {
    const std::string text(utc);
    std::tm calendar{};
    int milliseconds = 0;
    int length = 0;
    const int fields =
        std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &calendar.tm_year,
                    &calendar.tm_mon, &calendar.tm_mday, &calendar.tm_hour, &calendar.tm_min,
                    &calendar.tm_sec, &milliseconds, &length);
    if (fields != 7 || static_cast<std::size_t>(length) != text.size()) return std::nullopt;
    calendar.tm_year -= 1900;
    calendar.tm_mon -= 1;
    return static_cast<double>(timegm(&calendar)) + milliseconds / 1000.0;
}

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

}  // namespace lockstep::storage
