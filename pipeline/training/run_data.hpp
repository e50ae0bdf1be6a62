#pragma once

// The data sets of a queue's runs: each loaded once by every node, and shared by its ranks and by
// the runs on it.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/plan.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// Throws DataError (missing) where the files of no run's data set are there. None is read.
void require_data(const Plan& plan);

// What is odd about the data of these runs, each once.
std::vector<std::string> data_warnings(const Plan& plan, const std::vector<std::size_t>& runs);

// Loads a data set: one rank of each node reads or makes it, and the others see it in its memory.
// Where they cannot, they load it for themselves. Collective.
// Throws AgreedFailure if a rank cannot load it, or the nodes have not read the same.
std::shared_ptr<const trainer::Dataset> load_on_nodes(const trainer::DataConfig& data,
                                                      const trainer::Communicator& world);

class RunDatasets {
public:
    // Loads what these runs need and compares it between the ranks. Collective.
    // A data set that cannot be loaded fails the runs that need it, later; if it is the only one,
    // throws AgreedFailure at once.
    RunDatasets(const Plan& plan, const std::vector<std::size_t>& runs,
                const trainer::Communicator& world);

    // Throws Failure if the run's data set could not be loaded.
    std::shared_ptr<const trainer::Dataset> get(const PlannedRun& planned) const;
    // Its digest; "" if it could not be loaded.
    std::string digest(const PlannedRun& planned) const;

private:
    struct Entry {
        std::shared_ptr<const trainer::Dataset> dataset;
        std::optional<Failure> failure;
    };
    std::map<std::string, Entry> entries_;  // by dataset_key()
};

}  // namespace lockstep::pipeline
