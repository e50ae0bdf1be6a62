#include "pipeline/ranks/cgroup_limits.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// Version 1 says "no limit" by a number near 2^63.
constexpr std::int64_t kNoMemoryLimit = std::int64_t{1} << 60;

// One hierarchy as it is mounted: which group stands at the mount point.
struct Hierarchy {
    bool is_version_2 = false;
    std::string controllers;  // version 1: ",cpu,cpuacct,"
    fs::path mounted_group;
    fs::path mount_point;
};

bool has_controller(const std::string& list, std::string_view controller) {
    return fmt::format(",{},", list).find(fmt::format(",{},", controller)) != std::string::npos;
}

// /proc/self/mountinfo: id parent device ROOT MOUNT_POINT options... - TYPE source SUPER_OPTIONS
std::vector<Hierarchy> hierarchies(const fs::path& root) {
    std::vector<Hierarchy> found;
    std::ifstream file(root / "proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::string skipped, group, point, type, source, options;
        std::istringstream(line) >> skipped >> skipped >> skipped >> group >> point;
        std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
        if (type != "cgroup" && type != "cgroup2") continue;
        found.push_back({type == "cgroup2", options, group, point});
    }
    return found;
}

// /proc/self/cgroup: NUMBER:CONTROLLERS:GROUP, with no controllers for version 2.
std::optional<fs::path> own_group(const fs::path& root, bool is_version_2,
                                  std::string_view controller) {
    std::ifstream file(root / "proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool is_it =
            is_version_2 ? controllers.empty() : has_controller(controllers, controller);
        if (is_it) return fs::path(line.substr(second + 1));
    }
    return std::nullopt;
}

// The folders of the own group and of all above it, as far as the mount shows them.
std::vector<fs::path> group_folders(const fs::path& root, const Hierarchy& hierarchy,
                                    std::string_view controller) {
    const auto group = own_group(root, hierarchy.is_version_2, controller);
    if (!group) return {};
    const fs::path top = root / hierarchy.mount_point.relative_path();
    fs::path below = group->lexically_relative(hierarchy.mounted_group);
    // A group outside of what is mounted: a container shows its own as the root.
    if (below.empty() || *below.begin() == "..") below = ".";
    std::vector<fs::path> folders{top};
    for (const fs::path& part : below) {
        if (part != ".") folders.push_back(folders.back() / part);
    }
    return folders;
}

std::optional<double> cpus_of(const fs::path& folder, bool is_version_2) {
    double quota = 0.0;
    double period = 0.0;
    if (is_version_2) {
        std::ifstream file(folder / "cpu.max");
        if (!(file >> quota >> period)) return std::nullopt;  // "max" is no number
    } else {
        std::ifstream(folder / "cpu.cfs_quota_us") >> quota;  // -1: none
        std::ifstream(folder / "cpu.cfs_period_us") >> period;
    }
    if (quota <= 0.0 || period <= 0.0) return std::nullopt;
    return quota / period;
}

std::optional<std::int64_t> memory_of(const fs::path& folder, bool is_version_2) {
    std::int64_t bytes = 0;
    std::ifstream file(folder / (is_version_2 ? "memory.max" : "memory.limit_in_bytes"));
    if (!(file >> bytes) || bytes <= 0 || bytes >= kNoMemoryLimit) return std::nullopt;
    return bytes;
}

template <typename Value>
void lower(std::optional<Value>& least, std::string& from, std::optional<Value> value,
           const fs::path& folder) {
    if (!value || (least && *least <= *value)) return;
    least = value;
    from = folder.string();
}

}  // namespace

CgroupLimits cgroup_limits(const fs::path& root) {
    CgroupLimits limits;
    for (const Hierarchy& hierarchy : hierarchies(root)) {
        const bool is_version_2 = hierarchy.is_version_2;
        if (is_version_2 || has_controller(hierarchy.controllers, "cpu")) {
            for (const fs::path& folder : group_folders(root, hierarchy, "cpu")) {
                lower(limits.cpus, limits.cpus_from, cpus_of(folder, is_version_2), folder);
            }
        }
        if (is_version_2 || has_controller(hierarchy.controllers, "memory")) {
            for (const fs::path& folder : group_folders(root, hierarchy, "memory")) {
                lower(limits.memory, limits.memory_from, memory_of(folder, is_version_2), folder);
            }
        }
    }
    return limits;
}

}  // namespace lockstep::pipeline
