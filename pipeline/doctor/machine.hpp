#pragma once

// What this machine has and what this process may use of it, and what that means for a training.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/doctor/diagnosis.hpp"
#include "pipeline/ranks/cgroup_limits.hpp"

namespace lockstep::pipeline {

struct MachineFacts {
    int cores_there = 0;      // physical
    int threads_there = 0;    // hardware threads
    int cores_allowed = 0;    // physical, by the affinity mask
    int threads_allowed = 0;  // hardware threads, by the affinity mask
    CgroupLimits cgroup{};
    std::int64_t memory = 0;                      // bytes; 0: not told
    std::optional<std::int64_t> address_space{};  // bytes a process, ulimit -v
    std::optional<std::int64_t> descriptors{};    // a process, ulimit -n
    std::optional<std::int64_t> shared_memory{};  // bytes free in /dev/shm; nothing: there is none
    std::string omp_threads{};                    // OMP_NUM_THREADS
};

std::vector<int> cpu_list(const std::string& text);  // the kernel's: "0-3,8" -> 0, 1, 2, 3, 8

// From proc/, sys/ and dev/shm below `root`.
MachineFacts machine_facts(const std::filesystem::path& root, const std::string& omp_threads);

// What a job wants of it.
struct JobNeeds {
    int ranks = 1;
    std::int64_t memory_per_rank = 0;  // bytes; 0: not known
};

// ---- each a pure function ----------------------------------------------------------------------

Diagnosis check_cores(const MachineFacts& machine, const JobNeeds& job);
Diagnosis check_quota(const MachineFacts& machine, const JobNeeds& job);
Diagnosis check_threads(const MachineFacts& machine);
Diagnosis check_memory(const MachineFacts& machine, const JobNeeds& job);
Diagnosis check_shared_memory(const MachineFacts& machine, const JobNeeds& job);
Diagnosis check_descriptors(const MachineFacts& machine, const JobNeeds& job);

}  // namespace lockstep::pipeline
