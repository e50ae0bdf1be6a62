#pragma once

// What the kernel tells of processes.

#include <sys/types.h>

#include <vector>

namespace lockstep::pipeline {

enum class ProcessState {
    alive,
    stopped,  // by SIGSTOP, SIGTSTP or a debugger
    gone,     // a process that has ended and that nobody has waited for is gone too
};
ProcessState state_of_process(pid_t process);

// Those of its children that live. Empty also where the kernel does not tell.
std::vector<pid_t> living_children(pid_t process);
// Its children, theirs, and so on.
std::vector<pid_t> living_descendants(pid_t process);

}  // namespace lockstep::pipeline
