#pragma once

// Rows of an imagined experiment, for the tests of the database.

#include <filesystem>
#include <string>

#include "storage/database/run_database.hpp"

namespace lockstep::storage {

ExperimentRow sample_experiment();
RunRow sample_run(const std::string& run);
AttemptRow sample_attempt(const std::string& run);
EpochRow sample_epoch(const std::string& run, int epoch, int attempt = 1);
ArtifactRow sample_checkpoint(const std::string& run, int epoch);

// A run that has begun its first attempt.
void begin_sample_run(RunDatabase& database, const std::string& run);

// With any SQLite program; all that belongs to the run goes with it.
void delete_as_users_do(const std::filesystem::path& database, const std::string& run);

}  // namespace lockstep::storage
