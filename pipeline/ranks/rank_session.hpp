#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "pipeline/ranks/launcher.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

class Failure;

// Writes a failure to standard error, each of its lines behind "lockstep: ".
void tell_failure(const Failure& failure);

// Starts MPI, does `work` with all ranks of the job, ends MPI, and returns what `work` returned. A
// failure that all ranks agree on is told by rank 0, and its exit code returned; with one rank,
// every failure is such a one. Meanwhile all ranks look after each other (watchdog.hpp).
//   stall_timeout   unset: it follows the steps Any other error leaves MPI as it is: the caller
//   ends the job.
int do_with_ranks(ProcessArguments arguments,
                  const std::function<int(const trainer::Communicator& world)>& work,
                  std::optional<std::chrono::seconds> stall_timeout = {});

}  // namespace lockstep::pipeline
