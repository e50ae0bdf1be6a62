#pragma once

// Which process trains a run: what tells it from all others, and whether its attempt still lives.
// All verbs ask here.

#include <chrono>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// How long an attempt holds its run after its last heartbeat: 90 s, or what the environment
// variable LOCKSTEP_LEASE_SECONDS says (1 to 86400).
std::chrono::seconds lease_length();

enum class ProcessFate {
    lives,
    gone,
    unknown,  // it ran on another machine, before the last boot, or in another container
};
ProcessFate fate_of(const storage::AttemptRow& attempt);

// By this machine's clock. A heartbeat from the future is none that ran out.
bool is_lease_out(const storage::AttemptRow& attempt);

// For who only looks: the attempt has not ended, its process is not known to be gone, and its lease
// has not run out.
bool is_alive(const storage::AttemptRow& attempt);

}  // namespace lockstep::pipeline
