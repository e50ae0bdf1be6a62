#pragma once

// What this process can learn of its place before MPI runs: from the variables of mpirun and srun,
// and from the kernel.

#include <string>
#include <vector>

namespace lockstep::pipeline {

// This process is one of the ranks that mpirun or srun started. A step of srun with one task is
// none (an interactive shell is one), nor is what an ended job has left in the environment.
bool is_started_as_rank();
// Its number before MPI is up; 0 where nothing tells it.
int rank_from_environment();
// `lockstep` itself started the ranks, and reads their lines (rank_lines.hpp).
bool is_supervised();
int supervised_ranks();          // how many it started
void set_supervised(int ranks);  // for ranks that are started from now on, from this host
// The host of that `lockstep`, and so of mpirun; "" where nothing tells it.
std::string supervising_host();
// Of Lockstep, that are set: ranks on other machines need them too.
std::vector<std::string> own_variables();
// The ranks srun says it started; 1 where it says nothing. More than MPI knows of means that srun
// and MPI do not speak with each other.
int ranks_from_srun();
// The same of PMI_SIZE, where neither srun nor Open MPI's mpirun has set it.
int ranks_from_pmi();
// How srun lets its ranks find each other.
enum class SrunInterface { none, pmi2, pmix };
SrunInterface interface_of_srun();
// A process of one rank in a step of srun forgets it: Open MPI takes it for one of srun's ranks
// otherwise, and ends where srun has told it nothing. Before MPI starts.
void forget_srun();
// What the environment lacks of PATH and HOME. Without PATH Open MPI finds none of its own
// programs, and no ssh: the system's default. Without HOME Open MPI 5 does not start: the user's
// folder in the list of users, or "/" for a user who is not in it, as in containers. Before
// anything reads HOME: ranks inherit it, and have to see the same paths.
void provide_path_and_home();

// A batch system (Slurm, PBS, LSF, Grid Engine) started this: mpirun may start ranks on the other
// nodes of the job.
bool is_in_batch_job();

// Physical cores this process may use: the affinity mask, one per core, and the quota of the
// control group.
int available_cores();

}  // namespace lockstep::pipeline
