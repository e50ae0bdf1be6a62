#pragma once

// Where each run stands among the architectures, as cells for tables of one row a run.

#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/run_figures.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

struct RunPlace {
    const ArchitectureFigures* entry = nullptr;
    storage::Cell architecture{};      // its name among the others
    storage::Cell test_set{};          // in words that tell it from the others'
    storage::Cell same_training_as{};  // the id of the run that counts instead; NULL: this one does
};

// In the order of `runs`; `entries` are their leaderboard, and must outlive the places.
std::vector<RunPlace> run_places(const std::vector<RunFigures>& runs,
                                 const std::vector<ArchitectureFigures>& entries);

}  // namespace lockstep::reports
