#pragma once

// The wish to stop, told by a signal: INT, TERM, HUP, USR1 or USR2. Handlers set a flag and do
// nothing else; training asks for it once a step.
//
// No wish is lost: the program blocks these signals from its first instruction on, whatever its
// caller blocked or ignored, until it either listens to them or has nothing to stop.

#include <chrono>
#include <string_view>

namespace lockstep::pipeline {

// A second wish within that time is the same one, told again: to a process group, by mpirun as
// well, or by a scheduler to every process of a job.
inline constexpr std::chrono::seconds kSameWish{2};

// At the start of main: signals of children are told, others end the process as they should. The
// wish to stop stays blocked.
void set_signals();
// Lets signals end the process, for good: it has nothing to stop in order.
void let_signals_end();

// From now on these signals ask for a stop at the end of a step; one that comes kSameWish or more
// after the first ends the process at once, as it would without us.
void catch_stop_signals();

// As well when this moment comes. Later steps of the system's clock do not move it.
void request_stop_at(std::chrono::system_clock::time_point moment);

bool is_stop_requested();
bool is_time_up();  // that moment has come

// "on request", or "by its time limit".
std::string_view stop_reason();

// Under nohup a hangup is no wish to stop.
bool is_hangup_ignored();

}  // namespace lockstep::pipeline
