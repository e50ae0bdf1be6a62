#include "pipeline/ranks/allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {
namespace {

constexpr int kMostSlots = 1'000'000;

bool is_set(const char* name) { return std::getenv(name) != nullptr; }

// 0 where it is not set, or no number from 1 on.
int count_in(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : sum_over_nodes(text);
}

// Takes the number `text` begins with off it; 0 where there is none.
int take_number(std::string_view& text) {
    int value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < 0 || value > kMostSlots) return 0;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return value;
}

struct Host {
    std::string name;
    int slots = 0;
};

// Of what follows a host's name: the number of "slots=4"; else 1.
int slots_in(std::istream& words) {
    constexpr std::string_view kSlots = "slots=";
    for (std::string word; words >> word;) {
        std::string_view number = word;
        if (!number.starts_with(kSlots)) continue;
        number.remove_prefix(kSlots.size());
        return take_number(number);
    }
    return 1;
}

// Of a file whose lines begin with a host's name; each host once, in the order of the file.
std::vector<Host> hosts_in(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<Host> hosts;
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string name;
        if (!(words >> name)) continue;
        const auto known = std::ranges::find(hosts, name, &Host::name);
        Host& host =
            known != hosts.end() ? *known : hosts.emplace_back(Host{.name = name, .slots = 0});
        host.slots += slots_in(words);
    }
    return hosts;
}

// A rank a slot. Open MPI takes a host that has one line in a hostfile for one with a slot a core:
// as words of --host they have the slots they were given.
Allocation of_hosts(const std::vector<Host>& hosts) {
    Allocation result{.ranks = 0, .nodes = static_cast<int>(hosts.size()), .slots = 0, .hosts = {}};
    for (const Host& host : hosts) {
        result.ranks += host.slots;
        result.hosts +=
            fmt::format("{}{}:{}", result.hosts.empty() ? "" : ",", host.name, host.slots);
    }
    result.slots = result.ranks;
    return result;
}

// One task of several CPUs is a job for threads in other programs; a rank is a core here.
int ranks_on_one_node(int asked, int cores) { return std::clamp(asked, 1, std::max(1, cores)); }

Allocation from_slurm(int cores) {
    Allocation result;
    result.nodes = std::max({1, count_in("SLURM_JOB_NUM_NODES"), count_in("SLURM_NNODES")});
    result.slots = std::max(1, count_in("SLURM_TASKS_PER_NODE"));
    const int asked = std::max(count_in("SLURM_NTASKS"), count_in("SLURM_NPROCS"));
    const int tasks = asked > 0 ? asked : result.slots;
    if (tasks > result.nodes || (asked > 1 && result.nodes > 1)) {
        result.ranks = tasks;
    } else if (asked > 0) {
        result.ranks = ranks_on_one_node(std::max(1, count_in("SLURM_CPUS_PER_TASK")), cores);
    } else if (result.nodes == 1) {
        const int cpus = std::max(count_in("SLURM_CPUS_PER_TASK"), count_in("SLURM_CPUS_ON_NODE"));
        result.ranks = ranks_on_one_node(cpus, cores);
    } else {
        const int cpus = std::max(result.nodes, count_in("SLURM_JOB_CPUS_PER_NODE"));
        result.ranks = std::min(cpus, result.nodes * std::max(1, cores));
    }
    return result;
}

// For systems whose mpirun, as Debian builds it, knows nothing of them.
Allocation from_hostfile(const char* file, int count, int cpus, int cores) {
    std::vector<Host> hosts;
    if (is_set(file)) hosts = hosts_in(std::getenv(file));
    Allocation result = of_hosts(hosts);
    if (result.nodes > 1) return result;
    const int asked = std::max(result.ranks, count);
    return {.ranks = asked <= 1 ? ranks_on_one_node(cpus, cores) : asked,
            .nodes = 1,
            .slots = 0,
            .hosts = {}};
}

Allocation from_grid_engine() {
    Allocation result;
    result.ranks = std::max(1, count_in("NSLOTS"));
    if (is_set("PE_HOSTFILE")) {
        const auto hosts = hosts_in(std::getenv("PE_HOSTFILE"));
        result.nodes = std::max(1, static_cast<int>(hosts.size()));
        result.slots = result.ranks;
    }
    return result;
}

}  // namespace

int sum_over_nodes(std::string_view text) {
    int sum = 0;
    while (!text.empty()) {
        const int each = take_number(text);
        int times = 1;
        if (text.starts_with("(x")) {
            text.remove_prefix(2);
            times = take_number(text);
            if (!text.starts_with(')')) return 0;
            text.remove_prefix(1);
        }
        if (each == 0 || times == 0 || each > (kMostSlots - sum) / times) return 0;
        sum += each * times;
        if (text.starts_with(',')) {
            text.remove_prefix(1);
        } else if (!text.empty()) {
            return 0;
        }
    }
    return sum;
}

Allocation allocation(int cores) {
    if (is_set("SLURM_JOB_ID") || is_set("SLURM_JOBID")) return from_slurm(cores);
    if (is_set("PBS_JOBID")) {
        return from_hostfile("PBS_NODEFILE", count_in("PBS_NP"), count_in("NCPUS"), cores);
    }
    if (is_set("LSB_JOBID")) {
        return from_hostfile("LSB_DJOB_HOSTFILE", count_in("LSB_DJOB_NUMPROC"), 1, cores);
    }
    if (is_set("PE_HOSTFILE") || is_set("NSLOTS")) return from_grid_engine();
    return {.ranks = std::max(1, cores), .nodes = 1, .slots = 0, .hosts = {}};
}

Allocation allocation_in(const std::filesystem::path& hostfile) {
    if (!std::ifstream(hostfile)) {
        throw Failure(kExitMissingInput,
                      fmt::format("cannot read the hostfile {}", hostfile.string()));
    }
    const std::vector<Host> hosts = hosts_in(hostfile);
    const bool has_slots =
        std::ranges::all_of(hosts, [](const Host& host) { return host.slots > 0; });
    if (hosts.empty() || !has_slots) {
        throw Failure(kExitBadData,
                      fmt::format("the hostfile {} has to name hosts, one a line: node1 slots=8",
                                  hostfile.string()));
    }
    return of_hosts(hosts);
}

}  // namespace lockstep::pipeline
