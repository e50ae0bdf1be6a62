#pragma once

// Whether a process of this machine, by its number in our name space, can still do anything.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace lockstep::storage {

enum class ProcessLife {
    lives,   // also what nobody may look at
    ending,  // killed or at its end; but one of its threads is still inside of the kernel, in a
             // write to a slow disk, say, and finishes that
    gone,    // nothing of that number, or only what its parent has not taken notice of yet
};
ProcessLife life_of_process(pid_t process);

// Its state as proc(5) has it, 'R', 'T', 'Z'; '?' where the system does not tell.
char state_letter_of(pid_t process);

// When it began, in clock ticks after boot: by that a process is told from a later one of the same
// number. 0 where there is none of that number, or only its remains, or the system does not tell.
// `proc`: where the system tells.
std::int64_t process_start(pid_t process, const std::filesystem::path& proc = "/proc");

// Waits until it is gone, if it is about to end: two seconds at most. True if it is gone.
bool is_process_gone(pid_t process);

}  // namespace lockstep::storage
