#pragma once

// Databases as older versions left them.

#include <filesystem>

namespace lockstep::storage {

// Two runs that have begun; the first, "a-1", has three epochs.
void fill_database(const std::filesystem::path& path);

// Takes away what later versions added. Views were made of tables that are still the same.
void make_version(int version, const std::filesystem::path& path);

}  // namespace lockstep::storage
