#pragma once

// Planned runs that the store has already, under another id: `x` of `seeds = [1]` is `x-seed1` of
// `seeds = [1, 2, 3]`. Such a run is the stored one: nothing is trained twice, or counted twice.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "storage/database/run_database.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

struct StoredRun {
    std::size_t place = 0;  // of the planned run in its plan
    std::string id;         // of the stored one
    std::string name;
};

// Whether the data of this digest are those that the planned run would read.
using IsItsData = std::function<bool(const PlannedRun&, const std::string& data_digest)>;

// Reads the data to tell, each set once. Data that cannot be read are no other's.
class PlannedData {
public:
    bool operator()(const PlannedRun& planned, const std::string& data_digest);
    // They can be read, and are others than those of this digest.
    bool are_others(const PlannedRun& planned, const std::string& data_digest);

private:
    const std::string& digest_of(const PlannedRun& planned);
    static std::string read(const trainer::DataConfig& data);
    std::map<std::string, std::string> digests_;  // by dataset_key(); "" where it cannot be read
};

// The stored runs of the same experiment, config digest, design name and data as a planned run; of
// several, the run of the planned id among them, the one that counts (reports/figures/design.hpp).
// Only those of another id than planned. Asks for the data of candidates alone.
std::vector<StoredRun> stored_under_other_ids(const Plan& plan,
                                              const storage::RunDatabase& database,
                                              const IsItsData& is_its_data);

// Gives the planned runs the ids and names of the stored ones, in their effective values too.
void adopt(Plan& plan, const std::vector<StoredRun>& stored);

// The same after the training, where the store knows the data of what was not adopted: no data are
// read.
void adopt_trained(Plan& plan, const storage::RunDatabase& database);

// "x-seed1: stored as x-d4e999e5, the same training"
std::string adoption_text(const PlannedRun& planned, const StoredRun& stored);

// Adopts on every rank what rank 0 finds in the store, and tells it; makes the store where there is
// none. Rows of older stores learn their designs on the way. Collective; throws AgreedFailure.
void adopt_stored_runs(Plan& plan, const std::filesystem::path& store,
                       const trainer::Communicator& world, ProgressSink& progress);

}  // namespace lockstep::pipeline
