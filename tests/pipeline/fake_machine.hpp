#pragma once

// A root folder with files of proc/ and sys/, for what reads the machine.

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {

class FakeMachine {
public:
    const std::filesystem::path& root() const { return folder_.path(); }

    void put(const std::string& file, const std::string& text) const {
        const std::filesystem::path path = folder_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    // Hardware threads 0 to `threads` - 1, `per_core` of them in each core.
    void put_cpus(int threads, int per_core) const {
        put("sys/devices/system/cpu/online", "0-" + std::to_string(threads - 1) + "\n");
        for (int cpu = 0; cpu < threads; ++cpu) {
            const int first = cpu / per_core * per_core;
            put("sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                    "/topology/thread_siblings_list",
                std::to_string(first) + "-" + std::to_string(first + per_core - 1) + "\n");
        }
    }

private:
    TemporaryDirectory folder_;
};

}  // namespace lockstep::tests
