#pragma once

// Which process trains a run: what tells it from all others, and whether it still lives.

#include <string>

#include "pipeline/ranks/process_state.hpp"  // host_name()
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

std::string boot_id();  // of the running kernel; another one after every boot

// True if the attempt's process ran on this machine since its last boot and is gone. False also
// where that cannot be told: it ran elsewhere, perhaps in another container.
bool is_process_gone(const storage::AttemptRow& attempt);

}  // namespace lockstep::pipeline
