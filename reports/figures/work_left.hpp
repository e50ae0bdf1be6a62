#pragma once

// How long a list of runs will still take, from the speeds that some of them have been measured at.
// Computes; prints nothing.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

struct RunWork {
    std::string run;
    storage::RunState state = storage::RunState::queued;
    int epochs_finished = 0;
    int epochs_planned = 0;
    double epoch_seconds = 0.0;  // mean of the finished ones; 0: none is
    double epoch_flops = 0.0;    // 3 forward passes a training sample, one a validation sample

    bool is_done() const {
        return state == storage::RunState::finished || state == storage::RunState::failed;
    }
};

// Of rows of v_runs.
std::vector<RunWork> run_works(const storage::Table& runs);

// Seconds until all are done: each epoch as long as those of its run were, else as those of a run
// of as many operations, else by the operations per second of all that was measured. Runs that
// train at the same time share it. Nothing where no epoch was measured, or nothing is left. An
// upper bound where early stopping may come before.
std::optional<double> seconds_left(std::span<const RunWork> works);

}  // namespace lockstep::reports
