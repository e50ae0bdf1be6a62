#pragma once

// Inside trainer/data only: what lies in a folder of data, and what of it memory holds.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::trainer {

inline constexpr std::int64_t kMostSamples = 10'000'000;  // of one split

bool is_there(const std::filesystem::path& path);

// In bytewise order; empty where the folder cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

// "it holds a, b and 7 more", "there is no such folder", ...
std::string what_is_there(const std::filesystem::path& path);

// Before anything is allocated: where memory is short, a system kills instead of refusing.
// `origin` names what holds so many bytes. Throws DataError (damaged).
void check_memory(const std::string& origin, std::int64_t bytes);

}  // namespace lockstep::trainer
