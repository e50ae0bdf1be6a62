#pragma once

// What `lockstep compare` shows: runs, or architectures over their seeds, side by side. The figures
// are those of run_figures.hpp and leaderboard.hpp; absent ones are NULL.

#include <vector>

#include "reports/figures/run_figures.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// One row a run, in the order given. test_accuracy_low and _high are Wilson's 95 % interval of one
// accuracy: what other test images would give. val_loss and val_accuracy are those of the last
// epoch. `selected_on` says "test set" where a run chose its weights or its last epoch by figures
// of the test set: its test accuracy flatters, and has no interval. `same_training_as` names the
// run whose training this one is under another id: it is counted there alone.
storage::Table compared_runs(const std::vector<RunFigures>& runs);

// One row for all runs that differ in their seed alone, each training once, the best test accuracy
// first: means over the seeds. test_accuracy_low and _high are their 95 % interval: over_seeds (t)
// or of_one_run (Wilson), as `interval` says. `covers_printed` tells whether ours of the source's
// metric has its figure in it, `printed_against` which interval that was: over_seeds, of_one_run,
// none.
storage::Table compared_architectures(const std::vector<RunFigures>& runs);

// One row a run, for the end of a training: narrow enough for a terminal. A `*` behind the name
// marks a run that chose its weights or its last epoch by figures of the test set: its test
// accuracy flatters.
storage::Table results_table(const std::vector<RunFigures>& runs);

}  // namespace lockstep::reports
