#pragma once

// What a queue of runs ends with: the exit codes of its runs, and the one of all.

#include <cstddef>
#include <vector>

#include "pipeline/progress/progress.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_queue.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// Of the runs that this start of the ranks did not train, and that are not finished; told.
std::vector<int> codes_of_left(const Queue& queue, const std::vector<LeftRun>& left,
                               bool is_stopped, ProgressSink& progress);

// After a stop nobody waits long for a database that another program holds: it had little to tell.
std::vector<LeftRun> left_runs(const RunClaims& claims, const std::vector<std::size_t>& runs,
                               bool is_stopped);

// Every rank's exit codes, on every rank.
std::vector<int> gathered(const trainer::Communicator& world, const std::vector<int>& exit_codes);

// Of the whole experiment, by the exit codes of its runs; those that are finished say nothing.
// Where one was stopped, that; else what all that failed, failed with, and kExitSomeRunsFailed
// where that differs; else kExitLeftToOthers where some are.
int exit_code_of(const std::vector<int>& exit_codes);

}  // namespace lockstep::pipeline
