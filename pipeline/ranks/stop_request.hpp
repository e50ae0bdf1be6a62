#pragma once

// The wish to stop, told by a signal: INT, TERM, HUP, USR1 or USR2. Handlers set a flag and do
// nothing else; training asks for it once a step.

#include <chrono>
#include <string_view>

namespace lockstep::pipeline {

// From now on these signals ask for a stop at the end of a step. A second INT or TERM ends the
// process at once, as it would without us. The others may come as often as they like: a batch
// system sends them to the script, to mpirun and to every rank, and each of those passes them on.
void catch_stop_signals();

// As well when this moment comes. Later steps of the system's clock do not move it.
void request_stop_at(std::chrono::system_clock::time_point moment);

bool is_stop_requested();

// "on request", or "by its time limit".
std::string_view stop_reason();

// Under nohup a hangup is no wish to stop.
bool is_hangup_ignored();

}  // namespace lockstep::pipeline
