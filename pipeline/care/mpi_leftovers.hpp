#pragma once

// Shared memory and session folders that Open MPI left behind when mpirun was killed.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::pipeline {

struct Leftover {
    std::filesystem::path path;
    std::int64_t bytes = 0;
};

// Where they are looked for, and who looks: a test has folders of its own.
struct LeftoverPlaces {
    std::filesystem::path proc = "/proc";
    std::filesystem::path shared_memory = "/dev/shm";
    std::filesystem::path temporary = "/tmp";
    std::string host;
    std::uint32_t user = 0;
};
LeftoverPlaces leftover_places();  // of this process

// What no living process of this machine seems to need: segments of this host and user that nobody
// has mapped, and session folders whose mpirun is gone under any number that it has in a namespace
// of processes; a minute old or more. Nothing where this process cannot see every process of the
// machine (a container), or may not look into one of this user's.
//
// That is no proof of whose they were: any program of MPI that this user runs leaves the same.
std::vector<Leftover> mpi_leftovers(const LeftoverPlaces& places);

}  // namespace lockstep::pipeline
