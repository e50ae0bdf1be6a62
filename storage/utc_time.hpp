#pragma once

#include <chrono>
#include <string>

namespace lockstep::storage {

// "2026-03-01T12:00:00.250Z": sorts as text, and SQLite's date functions read it.
std::string utc_text(std::chrono::system_clock::time_point time);
std::string utc_now();

}  // namespace lockstep::storage
