#pragma once

// What a store has of a plan's runs before anything is trained, and what each of them needs.

#include <cstddef>
#include <vector>

#include "pipeline/progress/progress.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/run_queue.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

struct Survey {
    std::vector<RunAction> actions;  // what each run of the plan needs, as it looks now
    Job job;
};

// Asks the database of each run; rank 0's answer on every rank.
Survey survey_store(const Queue& queue, const trainer::Communicator& world, ProgressSink& progress);

struct SortedRuns {
    std::vector<std::size_t> pending;  // places in the plan
    std::vector<int> exit_codes;       // of those that failed before
};

// Tells what is skipped.
SortedRuns sort_out(const Queue& queue, const std::vector<RunAction>& actions,
                    ProgressSink& progress);

// So that `ls` shows what will come; with its data, by which a stored run of the same settings is
// told from it (stored_runs.hpp). Warns where the report to come has no place.
void register_runs(const Queue& queue, const std::vector<std::size_t>& runs,
                   const RunDatasets& datasets, ProgressSink& progress);

}  // namespace lockstep::pipeline
