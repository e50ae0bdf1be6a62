#pragma once

// The data sets of a queue's runs: each loaded once by every rank and shared by the runs on it.

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

// What is odd about the data of these runs, each once.
std::vector<std::string> data_warnings(const Plan& plan, const std::vector<std::size_t>& runs);

class RunDatasets {
public:
    // Loads what these runs need and compares it between the ranks. Collective.
    // A data set that cannot be loaded fails the runs that need it, later; if it is the only one,
    // throws AgreedFailure at once.
    RunDatasets(const Plan& plan, const std::vector<std::size_t>& runs,
                const trainer::Communicator& world);

    // Throws Failure if the run's data set could not be loaded.
    std::shared_ptr<const trainer::Dataset> get(const PlannedRun& planned) const;

private:
    struct Entry {
        std::shared_ptr<const trainer::Dataset> dataset;
        std::optional<Failure> failure;
    };
    std::map<std::string, Entry> entries_;  // by what makes a data set another one
};

}  // namespace lockstep::pipeline
