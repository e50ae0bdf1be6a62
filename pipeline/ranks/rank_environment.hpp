#pragma once

// What this process can learn of its place before MPI runs: from the variables of mpirun and srun,
// and from the kernel.

#include <string>
#include <vector>

namespace lockstep::pipeline {

// This process is one of the ranks that mpirun or srun started.
bool is_started_as_rank();
// Its number before MPI is up; 0 where nothing tells it.
int rank_from_environment();
// `lockstep` itself started the ranks, and reads their lines (rank_lines.hpp).
bool is_supervised();
int supervised_ranks();          // how many it started
void set_supervised(int ranks);  // for ranks that are started from now on
// Of Lockstep, that are set: ranks on other machines need them too.
std::vector<std::string> own_variables();
// The ranks srun says it started; 1 where it says nothing. More than MPI knows of means that srun
// and MPI do not speak with each other.
int ranks_from_srun();

// A batch system (Slurm, PBS, LSF, Grid Engine) started this: mpirun may start ranks on the other
// nodes of the job.
bool is_in_batch_job();

// Open MPI learns from srun of the other ranks by PMIx, and by nothing else. True outside of srun.
bool can_speak_with_srun();

// Physical cores this process may use: the affinity mask, one per core, and the quota of the
// control group.
int available_cores();

}  // namespace lockstep::pipeline
