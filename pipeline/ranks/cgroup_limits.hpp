#pragma once

// What the control groups of this process allow it, versions 1 and 2: a limit of any group above
// counts, so all are read, from the process's own up to the one the mount shows as its root.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace lockstep::pipeline {

struct CgroupLimits {
    std::optional<double> cpus;          // quota by period
    std::string cpus_from{};             // the file that sets it
    std::optional<std::int64_t> memory;  // bytes
    std::string memory_from{};
};

//   root   "/", or a folder in which a test has its own proc/ and sys/
CgroupLimits cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace lockstep::pipeline
