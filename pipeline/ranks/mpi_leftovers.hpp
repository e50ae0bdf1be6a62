#pragma once

// Open MPI takes its session folder and its shared memory away when it ends in order. Where mpirun
// or all ranks are killed they stay, 4 MB and more a rank, until somebody removes them.

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::pipeline {

// Where they lie, and whose they are.
struct MpiPlaces {
    std::filesystem::path sessions;       // $TMPDIR, else /tmp
    std::filesystem::path shared_memory;  // /dev/shm
    std::string host;                     // as in their names
    unsigned user = 0;
};
MpiPlaces mpi_places();

// What is there of jobs on this host, of this user, that nobody can use any more: session folders
// whose mpirun has gone, segments that no process has mapped. Nothing of the last two seconds: a
// segment is made before it is mapped.
std::vector<std::filesystem::path> mpi_leftovers(const MpiPlaces& places);

// Removes them now and at the end of the scope. What cannot be removed is left.
class MpiSweep {
public:
    MpiSweep();
    ~MpiSweep();
    MpiSweep(const MpiSweep&) = delete;
    MpiSweep& operator=(const MpiSweep&) = delete;
};

}  // namespace lockstep::pipeline
