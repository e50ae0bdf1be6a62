#pragma once

// Open MPI takes its session folder and its shared memory away when it ends in order. Where mpirun
// or all ranks are killed they stay, 4 MB and more a rank, until somebody removes them.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::pipeline {

// Where they lie, and whose they are: a test has folders of its own.
struct MpiPlaces {
    std::filesystem::path proc = "/proc";
    std::filesystem::path shared_memory = "/dev/shm";
    std::filesystem::path sessions = "/tmp";  // or $TMPDIR
    std::string host;                         // as in their names
    std::uint32_t user = 0;
};
MpiPlaces mpi_places();  // of this process

// What is there of jobs on this host, of this user, that no process of this machine can use any
// more: session folders whose mpirun has gone under any number that it has in a name space of
// processes, segments that nobody has mapped. Nothing of the last two seconds: a segment is made
// before it is mapped. Nothing at all where this process cannot see every process of the machine
// (in a container: a job of another one may share these folders).
//
// That is no proof of whose they were: any program of MPI that this user runs leaves the same.
std::vector<std::filesystem::path> mpi_leftovers(const MpiPlaces& places);

// Removes them now and at the end of the scope. What cannot be removed is left.
//
// In between it keeps the folder that all sessions of a user and host share: whichever job ends
// removes it where it is empty, and Open MPI 4 fails to start where that comes between its mkdir
// and its look at what it made ("unable to create the desired directory: File exists").
class MpiSweep {
public:
    explicit MpiSweep(MpiPlaces places = mpi_places());
    ~MpiSweep();
    MpiSweep(const MpiSweep&) = delete;
    MpiSweep& operator=(const MpiSweep&) = delete;

private:
    void keep_folder();

    MpiPlaces places_;
    std::filesystem::path keeper_;  // empty: there is none
};

// The empty folder that Open MPI 5 leaves of a process that had no mpirun, when MPI has ended in
// order: it goes with this. Make it before MPI starts, and note the folder then.
class OwnMpiSession {
public:
    explicit OwnMpiSession(MpiPlaces places = mpi_places()) : places_(std::move(places)) {}
    ~OwnMpiSession();
    OwnMpiSession(const OwnMpiSession&) = delete;
    OwnMpiSession& operator=(const OwnMpiSession&) = delete;

    void note();

private:
    MpiPlaces places_;
    std::filesystem::path job_;  // empty: there is none
};

}  // namespace lockstep::pipeline
