#pragma once

#include <string>

#include "pipeline/doctor/diagnosis.hpp"

namespace lockstep::pipeline {

// Does the mpirun of PATH belong to the library in this program? One of another MPI starts N
// programs of one rank each. A pure function.
//   library   MPI_Get_library_version's first words: "Open MPI v4.1.4"
//   mpirun    what `mpirun --version` prints; "" where there is none
Diagnosis check_mpi(const std::string& library, const std::string& mpirun);

// What `mpirun --version` prints here, at most for five seconds; "" where it cannot be started.
std::string mpirun_version();

}  // namespace lockstep::pipeline
