#pragma once

// The runs of a plan, one after the other or side by side: which of them still need training,
// which ranks train which, and what became of each.

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/provenance.hpp"
#include "storage/records/records.hpp"
#include "trainer/environment.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/train.hpp"

namespace lockstep::pipeline {

// Everything the queue needs, equal on all ranks.
struct Queue {
    const Plan& plan;
    storage::ExperimentRow experiment;  // created_utc is filled in when it is first stored
    std::filesystem::path store;
    bool is_fresh = false;  // trains anew what is finished or begun
    bool retries_failed = false;
    trainer::ComputeEnvironment environment;
    Provenance provenance{};
};

// What is to be done with a run.
enum class RunAction {
    skip_finished,
    skip_failed,
    start,   // from the beginning
    resume,  // from its newest good checkpoint, if it has one
};
// `state` is null for a run the store does not know.
RunAction action_for(const storage::RunState* state, bool is_fresh, bool retries_failed);

// Trains what is not yet finished, and leaves to other jobs on the same store what they hold.
// Collective over `world`; `progress` of ranks that lead no run is never used. One failing run does
// not lose the others.
// Returns, on every rank, the exit code: 0 if all runs are finished, whoever trained them;
// kExitInterrupted; that of the runs that failed if all failed alike, else kExitSomeRunsFailed;
// kExitLeftToOthers if nothing failed and another job has not finished yet.
// Throws
//   AgreedFailure   on all ranks, before anything is trained: the store or all data unusable, ...
//   other errors    on one rank, while others may wait for it: the caller ends the job
int train_all(const Queue& queue, const trainer::Communicator& world, ProgressSink& progress);

}  // namespace lockstep::pipeline
