#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::storage {

// "2026-03-01T12:00:00.250Z": sorts as text, and SQLite's date functions read it.
std::string utc_text(std::chrono::system_clock::time_point time);
std::string utc_now();

// Seconds since 1970 of such a text; nothing for any other text.
std::optional<double> unix_seconds(std::string_view utc);

}  // namespace lockstep::storage
