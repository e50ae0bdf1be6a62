#pragma once

// `lockstep run` outside of a batch job's mpirun starts its own ranks: `mpirun -n N lockstep run
// ...`, and watches over them.
//
// mpirun takes TERM, INT and HUP as "kill every rank at once". So it gets a process group of its
// own, and what reaches the supervisor goes on to it as USR1, which mpirun passes to every rank:
// they stop at one common step. A second INT or TERM becomes TERM. Should the supervisor itself be
// killed, the kernel sends mpirun the same USR1.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/progress/progress.hpp"

namespace lockstep::pipeline {

// argv of main, as MPI wants it.
struct ProcessArguments {
    int count = 0;
    char** values = nullptr;
};

struct Launch {
    std::filesystem::path program;       // of the ranks
    std::vector<std::string> arguments;  // without the program's name
    int ranks = 1;
    int cores = 1;                   // of all its nodes
    int slots = 0;                   // that mpirun may use by itself; 0: as many as there are cores
    std::filesystem::path hostfile;  // of mpirun; empty: none
    std::filesystem::path log;       // mpirun's own words go here, not onto the screen
};

// The command line of mpirun, from its name on. A pure function.
std::vector<std::string> mpirun_command(const Launch& launch);

struct LaunchOutcome {
    int exit_code = 0;                    // of the ranks, 128 + signal where one killed them
    int stop_requests = 0;                // signals that asked for a stop
    std::vector<std::string> last_words;  // the last lines that are not Lockstep's own
    bool has_told_error = false;          // a rank has told its error in a line of its own
};

// Starts the ranks and waits for them. Their progress goes to `progress`, lines that begin with
// "lockstep: " through to standard error, all others to the log.
// Throws Failure (kExitUnavailable) where mpirun cannot be started.
LaunchOutcome launch(const Launch& launch, ProgressDisplay& progress);

// The exit code of the supervisor, with one plain line told to `progress` where the ranks did not
// tell their end themselves.
int conclude(const LaunchOutcome& outcome, const Launch& launch, ProgressDisplay& progress);

}  // namespace lockstep::pipeline
