#include "pipeline/ranks/rank_environment.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "pipeline/ranks/cgroup_limits.hpp"

namespace lockstep::pipeline {
namespace {

int number_in_environment(const char* name, int otherwise) {
    const char* text = std::getenv(name);
    int value = otherwise;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), value);
    return value;
}

std::string first_line_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The quota of the control groups in whole CPUs; 0: none.
int cpu_quota() {
    const auto cpus = cgroup_limits().cpus;
    return cpus ? std::max(1, static_cast<int>(*cpus)) : 0;
}

}  // namespace

bool is_started_as_rank() {
    for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
        if (std::getenv(name) != nullptr) return true;
    }
    // A batch script has SLURM_PROCID too; only a step of srun has a number.
    return std::getenv("SLURM_PROCID") != nullptr && std::getenv("SLURM_STEP_ID") != nullptr;
}

int rank_from_environment() {
    for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
        if (std::getenv(name) != nullptr) return number_in_environment(name, 0);
    }
    return is_started_as_rank() ? number_in_environment("SLURM_PROCID", 0) : 0;
}

int ranks_from_srun() {
    if (std::getenv("SLURM_STEP_ID") == nullptr || std::getenv("OMPI_COMM_WORLD_RANK") != nullptr) {
        return 1;
    }
    return number_in_environment("SLURM_STEP_NUM_TASKS", 1);
}

bool is_in_batch_job() {
    constexpr std::array kJobs{"SLURM_JOB_ID", "SLURM_JOBID", "PBS_JOBID", "LSB_JOBID",
                               "PE_HOSTFILE"};
    return std::ranges::any_of(kJobs,
                               [](const char* name) { return std::getenv(name) != nullptr; });
}

int available_cores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
    std::set<std::string> cores;  // hardware threads of one core share this line
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        const std::string siblings = first_line_of(
            fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
        cores.insert(siblings.empty() ? fmt::format("cpu{}", cpu) : siblings);
    }
    const int count = std::max(1, static_cast<int>(cores.size()));
    const int quota = cpu_quota();
    return quota > 0 ? std::min(count, quota) : count;
}

}  // namespace lockstep::pipeline
