#pragma once

// How long a job may run, as its user (--max-walltime) or its scheduler says. Training stops so
// long before that it can end in order: a step and a checkpoint are then still to come.

#include <chrono>
#include <optional>
#include <string_view>

namespace lockstep::pipeline {

// Of "90s", "30m", "4h", "2d", or as Slurm writes it: "04:00:00", "1-12:00:00". Nothing for all
// else: a number alone is seconds for some and minutes for others.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// Asks for a stop in time. Where the program has started ranks before, of which these are a further
// attempt, or is itself a rank, the time counts from the start of the whole job: the environment
// carries it (LOCKSTEP_STOP_AT, seconds since 1970).
//   max_walltime   from now on; unset: as long as SLURM_JOB_END_TIME allows, if it is set
void stop_in_time(std::optional<std::chrono::seconds> max_walltime);

}  // namespace lockstep::pipeline
