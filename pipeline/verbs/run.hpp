#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/launcher.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/restarts.hpp"

namespace lockstep::pipeline {

struct RunOptions {
    SpecOptions spec;
    std::filesystem::path store = kDefaultStore;
    std::optional<int> ranks;        // >= 1; unset: one per core, at most one per shard
    std::filesystem::path hostfile;  // of the hosts to start them on; empty: this one, or the job's
    std::optional<std::chrono::seconds> max_walltime;   // training stops in time before it is over
    int max_restarts = kDefaultRestarts;                // after lost ranks
    std::optional<std::chrono::seconds> stall_timeout;  // unset: it follows the steps
    bool is_fresh = false;                              // trains anew what is finished or begun
    bool retries_failed = false;
    bool is_dry_run = false;
    ProgressMode progress = ProgressMode::automatic;
    bool is_quiet = false;  // errors and results alone, whatever `progress` says
    bool is_rank = false;   // started by this program's launcher: progress goes to it as lines
    ColorMode color = ColorMode::automatic;
};

// `lockstep run FILE`: trains what is not yet finished. Under mpirun or srun with the ranks it is
// in; otherwise it starts its own, or with one rank trains in this process.
// Returns the exit code. Throws what cannot be told by it, for main.
int run(const RunOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
