#include "pipeline/ranks/rank_environment.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "pipeline/ranks/cgroup_limits.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

bool is_set(const char* name) { return std::getenv(name) != nullptr; }
constexpr const char* kSupervised = "LOCKSTEP_SUPERVISED";
constexpr const char* kSupervisingHost = "LOCKSTEP_SUPERVISING_HOST";

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
    if (is_set("OMPI_COMM_WORLD_RANK")) return true;
    // A batch script has SLURM_PROCID too; only a step of srun has a number.
    if (is_set("SLURM_STEP_ID")) return number_in_environment("SLURM_STEP_NUM_TASKS", 1) > 1;
    return (is_set("PMIX_RANK") && is_set("PMIX_NAMESPACE")) ||
           number_in_environment("PMI_SIZE", 1) > 1;
}

int rank_from_environment() {
    if (!is_started_as_rank()) return 0;
    for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
        if (is_set(name)) return number_in_environment(name, 0);
    }
    return number_in_environment("SLURM_PROCID", 0);
}

bool is_supervised() { return std::getenv(kSupervised) != nullptr; }

int supervised_ranks() { return number_in_environment(kSupervised, 1); }

void set_supervised(int ranks) {
    ::setenv(kSupervised, std::to_string(ranks).c_str(), 1);
    ::setenv(kSupervisingHost, storage::host_name().c_str(), 1);
}

std::string supervising_host() {
    const char* host = std::getenv(kSupervisingHost);
    return host == nullptr ? "" : host;
}

std::vector<std::string> own_variables() {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (text.starts_with("LOCKSTEP_")) names.emplace_back(text.substr(0, text.find('=')));
    }
    return names;
}

int ranks_from_srun() {
    if (!is_set("SLURM_STEP_ID") || is_set("OMPI_COMM_WORLD_RANK")) return 1;
    return number_in_environment("SLURM_STEP_NUM_TASKS", 1);
}

int ranks_from_pmi() {
    if (is_set("SLURM_STEP_ID") || is_set("OMPI_COMM_WORLD_RANK")) return 1;
    return number_in_environment("PMI_SIZE", 1);
}

SrunInterface interface_of_srun() {
    if (is_set("PMIX_NAMESPACE")) return SrunInterface::pmix;
    return is_set("PMI_FD") ? SrunInterface::pmi2 : SrunInterface::none;
}

void forget_srun() {
    for (const char* name : {"SLURM_STEP_ID", "SLURM_STEPID", "PMI_FD", "PMI_RANK", "PMI_SIZE"}) {
        ::unsetenv(name);
    }
}

void provide_path_and_home() {
    std::array<char, 256> path{};
    if (::confstr(_CS_PATH, path.data(), path.size()) > 0) ::setenv("PATH", path.data(), 0);
    if (is_set("HOME")) return;
    const passwd* user = ::getpwuid(::geteuid());
    ::setenv("HOME", user != nullptr ? user->pw_dir : "/", 0);
}

bool is_in_batch_job() {
    constexpr std::array kJobs{"SLURM_JOB_ID", "SLURM_JOBID", "PBS_JOBID", "LSB_JOBID",
                               "PE_HOSTFILE"};
    return std::ranges::any_of(kJobs, is_set);
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
