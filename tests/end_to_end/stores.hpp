#pragma once

// What end-to-end tests read of the stores that they train into.

#include <filesystem>
#include <string>

namespace lockstep::tests {

// All runs of experiments/smoke.toml, finished: trained when it is first asked for, one store for
// all tests of a program.
const std::filesystem::path& finished_store();

// `lockstep query`: lines of CSV without their header.
std::string rows(const std::filesystem::path& store, const std::string& sql);

// A run's log.txt; "" while the store has no run.
std::string log_of(const std::filesystem::path& store, const std::string& run);

}  // namespace lockstep::tests
