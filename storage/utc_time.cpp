#include "storage/utc_time.hpp"

#include <fmt/format.h>

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

std::string utc_now() { return utc_text(std::chrono::system_clock::now()); }

}  // namespace lockstep::storage
