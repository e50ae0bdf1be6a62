#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pipeline/doctor/machine.hpp"

namespace lockstep::pipeline {
namespace {

// What Open MPI takes of /dev/shm for a rank: its segments, as seen with versions 4.1.4 and 5.0.7.
constexpr double kSharedPerRank = 16e6;
// Files, sockets and pipes of a rank, and of mpirun for each of its ranks.
constexpr std::int64_t kDescriptorsPerProcess = 64;
constexpr std::int64_t kDescriptorsPerRank = 8;
constexpr double kComfortable = 0.8;  // of a limit

}  // namespace

Diagnosis check_cores(const MachineFacts& machine, const JobNeeds& job) {
    Diagnosis found{
        Health::ok, "cores",
        fmt::format("{} of {} cores allowed, {} hardware threads a core, {} rank{}",
                    machine.cores_allowed, machine.cores_there,
                    machine.cores_there > 0 ? machine.threads_there / machine.cores_there : 1,
                    job.ranks, job.ranks == 1 ? "" : "s")};
    if (machine.cores_allowed > 0 && job.ranks > machine.cores_allowed) {
        found.health = Health::problem;
        found.advice = fmt::format(
            "ranks wait for each other on shared cores: --ranks {}, or ask "
            "for more cores",
            machine.cores_allowed);
    } else if (machine.cores_allowed < machine.cores_there) {
        found.health = Health::warning;
        found.advice =
            "the affinity mask leaves cores out; right where a job has a share of a "
            "machine, else see the scheduler's or mpirun's binding";
    }
    return found;
}

Diagnosis check_quota(const MachineFacts& machine, const JobNeeds& job) {
    if (!machine.cgroup.cpus) return {Health::ok, "CPU quota", "none"};
    const double cpus = *machine.cgroup.cpus;
    Diagnosis found{Health::ok, "CPU quota",
                    fmt::format("{:.2f} CPUs, by {}", cpus, machine.cgroup.cpus_from)};
    if (job.ranks > cpus) {
        found.health = Health::problem;
        found.advice = fmt::format(
            "the kernel stops the ranks again and again: --ranks {}, or a "
            "larger quota",
            std::max(1, static_cast<int>(cpus)));
    }
    return found;
}

Diagnosis check_threads(const MachineFacts& machine) {
    const std::string& threads = machine.omp_threads;
    if (threads.empty()) return {Health::ok, "OMP_NUM_THREADS", "not set"};
    if (threads == "1") return {Health::ok, "OMP_NUM_THREADS", "1"};
    return {Health::warning, "OMP_NUM_THREADS", threads,
            "a rank computes with one thread; unset it, or libraries start more of them"};
}

Diagnosis check_memory(const MachineFacts& machine, const JobNeeds& job) {
    std::int64_t allowed = machine.memory;
    std::string from = "the machine";
    if (machine.cgroup.memory && (allowed == 0 || *machine.cgroup.memory < allowed)) {
        allowed = *machine.cgroup.memory;
        from = machine.cgroup.memory_from;
    }
    const double wanted = static_cast<double>(job.memory_per_rank) * job.ranks;
    Diagnosis found{
        Health::ok, "memory",
        fmt::format("{} allowed, by {}", bytes_text(static_cast<double>(allowed)), from)};
    if (job.memory_per_rank > 0) {
        found.found += fmt::format("; the plan wants {}", bytes_text(wanted));
    }
    const bool is_above_rank =
        machine.address_space && job.memory_per_rank > *machine.address_space;
    if (is_above_rank || (allowed > 0 && wanted > static_cast<double>(allowed))) {
        found.health = Health::problem;
        found.advice = is_above_rank ? "ulimit -v is below what a rank wants: raise it"
                                     : "the kernel would kill a rank: fewer ranks, a smaller "
                                       "batch, or more memory";
    } else if (allowed > 0 && wanted > kComfortable * static_cast<double>(allowed)) {
        found.health = Health::warning;
        found.advice = "little is left for the system's own buffers";
    }
    return found;
}

Diagnosis check_shared_memory(const MachineFacts& machine, const JobNeeds& job) {
    if (!machine.shared_memory) {
        return {job.ranks > 1 ? Health::problem : Health::warning, "/dev/shm", "not there",
                "MPI cannot share memory between ranks: mount a tmpfs there"};
    }
    const auto free = static_cast<double>(*machine.shared_memory);
    Diagnosis found{Health::ok, "/dev/shm", fmt::format("{} free", bytes_text(free))};
    if (job.ranks > 1 && free < kSharedPerRank * job.ranks) {
        found.health = Health::problem;
        found.advice = fmt::format("MPI wants about {} for {} ranks; containers: --shm-size",
                                   bytes_text(kSharedPerRank * job.ranks), job.ranks);
    }
    return found;
}

Diagnosis check_descriptors(const MachineFacts& machine, const JobNeeds& job) {
    if (!machine.descriptors) return {Health::ok, "descriptors", "no limit"};
    const std::int64_t wanted = kDescriptorsPerProcess + kDescriptorsPerRank * job.ranks;
    Diagnosis found{Health::ok, "descriptors", fmt::format("{}", *machine.descriptors)};
    if (*machine.descriptors < wanted) {
        found.health = Health::problem;
        found.advice = fmt::format("ulimit -n {}", wanted);
    }
    return found;
}

}  // namespace lockstep::pipeline
