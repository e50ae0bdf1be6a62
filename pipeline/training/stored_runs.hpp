#pragma once

// Planned runs that the store has already, under another id: `x` of `seeds = [1]` is `x-seed1` of
// `seeds = [1, 2, 3]`. Such a run is the stored one: nothing is trained twice, or counted twice.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "storage/database/run_database.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

struct StoredRun {
    std::size_t place = 0;  // of the planned run in its plan
    std::string id;         // of the stored one
    std::string name;
};

// The stored runs of the same config digest that have the planned run's id or design name; of
// several the one that counts (reports/figures/design.hpp). Only those of another id than planned.
std::vector<StoredRun> stored_under_other_ids(const Plan& plan,
                                              const storage::RunDatabase& database);

// Gives the planned runs the ids and names of the stored ones.
void adopt(Plan& plan, const std::vector<StoredRun>& stored);

// "x-seed1: stored as x-d4e999e5, the same training"
std::string adoption_text(const PlannedRun& planned, const StoredRun& stored);

// Adopts on every rank what rank 0 finds in the store, and tells it; makes the store where there is
// none. Rows of older stores learn their designs on the way. Collective; throws AgreedFailure.
void adopt_stored_runs(Plan& plan, const std::filesystem::path& store,
                       const trainer::Communicator& world, ProgressSink& progress);

}  // namespace lockstep::pipeline
