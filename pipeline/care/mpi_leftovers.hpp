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

// What is provably dead and of this user's: segments of this host and user that no process has
// mapped, and session folders whose mpirun is gone, a minute old or more. Nothing at all where this
// process cannot see every process of the machine (a container with process numbers of its own), or
// may not look into one of this user's.
std::vector<Leftover> mpi_leftovers(const LeftoverPlaces& places);

}  // namespace lockstep::pipeline
