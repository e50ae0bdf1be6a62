#pragma once

// Runs as they are: one that says `running` while its attempt is dead (process_identity.hpp) is
// interrupted, though nobody has written that down yet. Whoever shows, chooses or counts runs by
// their state asks here.

#include <string>
#include <string_view>
#include <vector>

#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

storage::RunState state_of(storage::RunState stored,
                           const std::vector<storage::AttemptRow>& attempts);

storage::RunDetails details_of(const storage::RunDatabase& database, const std::string& run);
// v_runs and v_epochs.
storage::Table runs_table_of(const storage::RunDatabase& database, std::string_view experiment);
storage::Table epochs_table_of(const storage::RunDatabase& database, std::string_view run);

}  // namespace lockstep::pipeline
