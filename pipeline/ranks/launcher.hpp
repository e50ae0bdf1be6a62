#pragma once

// `lockstep run` outside of a batch job's mpirun starts its own ranks: `mpirun -n N lockstep run
// ...`, and watches over them.
//
// mpirun takes TERM, INT and HUP as "kill every rank at once". So it gets a process group of its
// own, and what reaches the supervisor goes on to it as USR1, which mpirun passes to every rank:
// they stop at one common step. A second INT or TERM becomes TERM. Should the supervisor itself be
// killed, the kernel sends mpirun the same USR1. A wish that comes before all ranks listen is kept
// until they do.
//
// It sees how far each rank of this machine is (pulse_page.hpp), and ends a job that cannot go on:
// one with a stuck rank, or an mpirun that outlives its ranks.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/line_sorter.hpp"
#include "pipeline/ranks/pulse_page.hpp"

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
    int cores = 1;              // of all its nodes
    int slots = 0;              // that mpirun may use by itself; 0: as many as there are cores
    std::string hosts;          // for its --host, "node1:8,node2:8"; empty: those it knows
    std::filesystem::path log;  // mpirun's own words go here, not onto the screen
    std::vector<std::string> variables{};                 // of the environment, that all ranks get
    std::optional<std::chrono::seconds> stall_timeout{};  // unset: it follows the steps
};

// The command line of mpirun, from its name on. A pure function.
std::vector<std::string> mpirun_command(const Launch& launch);

struct LaunchOutcome {
    int exit_code = 0;      // of the ranks, 128 + signal where one killed them
    int stop_requests = 0;  // signals that asked for a stop
    RankWords words;
    std::string cause;      // of an end that is nobody's wish and no rank's own word; else ""
    bool is_stall = false;  // ended from here, because of a stuck rank: nothing has crashed

    // Such an end: the same command, once more, goes on.
    bool is_lost() const { return !cause.empty(); }
};

// Starts the ranks and waits for them. Their progress goes to `progress`, lines that begin with
// "lockstep: " through to standard error, all others to the log. Nothing of them is left when it
// returns, on this machine. `pulses` may be null.
// Throws Failure (kExitUnavailable) where mpirun cannot be started.
LaunchOutcome launch(const Launch& launch, ProgressDisplay& progress, PulseFile* pulses);

// Waits before a further attempt; false if a signal asks for a stop meanwhile.
bool wait_before_restart(std::chrono::seconds pause);

// The exit code of the supervisor, with one plain line told to `progress` where the ranks did not
// tell their end themselves.
int conclude(const LaunchOutcome& outcome, const Launch& launch, ProgressDisplay& progress);

}  // namespace lockstep::pipeline
