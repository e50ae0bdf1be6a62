#include "pipeline/doctor/machine.hpp"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "storage/files/file_system.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// Hardware threads of one core share a line.
int cores_of(const fs::path& root, const std::vector<int>& cpus) {
    std::set<std::string> cores;
    for (const int cpu : cpus) {
        const std::string siblings = first_line(
            root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
        cores.insert(siblings.empty() ? fmt::format("cpu{}", cpu) : siblings);
    }
    return static_cast<int>(cores.size());
}

// What follows `name` in a file of names and values.
std::string value_in(const fs::path& path, std::string_view name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name)) return line.substr(name.size());
    }
    return {};
}

// The soft limit in /proc/self/limits; nothing where there is none.
std::optional<std::int64_t> limit_in(const fs::path& root, std::string_view name) {
    std::int64_t value = 0;
    std::istringstream text(value_in(root / "proc/self/limits", name));
    if (!(text >> value)) return std::nullopt;  // "unlimited"
    return value;
}

}  // namespace

std::vector<int> cpu_list(const std::string& text) {
    std::vector<int> cpus;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        int first = 0;
        int last = 0;
        char dash = 0;
        std::istringstream range(part);
        if (!(range >> first)) continue;
        if (!(range >> dash >> last)) last = first;
        for (int cpu = first; cpu <= last && cpu - first < 65536; ++cpu) cpus.push_back(cpu);
    }
    return cpus;
}

MachineFacts machine_facts(const fs::path& root, const std::string& omp_threads) {
    MachineFacts facts;
    const auto there = cpu_list(first_line(root / "sys/devices/system/cpu/online"));
    std::istringstream mask(value_in(root / "proc/self/status", "Cpus_allowed_list:"));
    std::string list;
    mask >> list;
    const auto allowed = cpu_list(list);
    facts.threads_there = static_cast<int>(there.size());
    facts.cores_there = cores_of(root, there);
    facts.threads_allowed = static_cast<int>(allowed.size());
    facts.cores_allowed = cores_of(root, allowed);
    facts.cgroup = cgroup_limits(root);
    std::int64_t kilobytes = 0;
    std::istringstream(value_in(root / "proc/meminfo", "MemTotal:")) >> kilobytes;
    facts.memory = kilobytes * 1024;
    facts.address_space = limit_in(root, "Max address space");
    facts.descriptors = limit_in(root, "Max open files");
    facts.shared_memory = storage::free_bytes(root / "dev/shm");
    facts.omp_threads = omp_threads;
    return facts;
}

}  // namespace lockstep::pipeline
