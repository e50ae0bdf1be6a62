#include "trainer/benchmark/resident_memory.hpp"

#include <fstream>
#include <sstream>
#include <string>

namespace lockstep::trainer {

namespace {

// Of a line "VmRSS:     1234 kB".
std::int64_t bytes_in(const std::string& path, const std::string& key) {
    std::ifstream lines(path);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key + ":")) continue;
        std::istringstream words(line.substr(key.size() + 1));
        std::int64_t kibibytes = 0;
        words >> kibibytes;
        return kibibytes * 1024;
    }
    return 0;
}

}  // namespace

ResidentMemory resident_memory() {
    return {.now = bytes_in("/proc/self/status", "VmRSS"),
            .peak = bytes_in("/proc/self/status", "VmHWM"),
            .share = bytes_in("/proc/self/smaps_rollup", "Pss")};
}

// "5" resets VmHWM: Linux, Documentation/filesystems/proc.rst.
void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace lockstep::trainer
