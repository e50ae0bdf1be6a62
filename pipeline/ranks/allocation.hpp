#pragma once

// What a batch system has given to the job this process is in, by the variables it sets; without
// one, the cores of this machine.

#include <filesystem>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

struct Allocation {
    int ranks = 1;  // that the job is meant to have
    int nodes = 1;
    int slots = 0;  // that mpirun takes from the batch system, or from `hosts`; 0: it knows none
    std::string hosts;  // "node1:8,node2:8", for an mpirun that does not know them by itself
};

// Slurm: its tasks; with one task, and where none were asked for, the CPUs it may use. PBS: the
// lines of $PBS_NODEFILE. LSF and Grid Engine: their slots. On one node never more than `cores`,
// unless so many tasks were asked for.
//   cores   that this process may use (available_cores)
Allocation allocation(int cores);

// The hosts of a file as mpirun's --hostfile takes it: "node1 slots=8", or a line a slot; `#`
// begins a comment. A rank a slot.
// Throws Failure: kExitMissingInput where it cannot be read, kExitBadData where it names no host.
Allocation allocation_in(const std::filesystem::path& hostfile);

// The sum of "2(x3),1", as Slurm writes what each node has: 7. 0 for anything else.
int sum_over_nodes(std::string_view text);

}  // namespace lockstep::pipeline
