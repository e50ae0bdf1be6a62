#include "pipeline/ranks/process_state.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "storage/files/process_life.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(pid_t process) { return fs::path("/proc") / std::to_string(process); }

}  // namespace

ProcessState state_of_process(pid_t process) {
    if (storage::life_of_process(process) == storage::ProcessLife::gone) return ProcessState::gone;
    const char letter = storage::state_letter_of(process);
    if (letter == '?') return ProcessState::gone;  // just now
    return letter == 'T' || letter == 't' ? ProcessState::stopped : ProcessState::alive;
}

std::vector<pid_t> living_children(pid_t process) {
    std::vector<pid_t> children;
    std::error_code vanished;
    fs::directory_iterator threads(folder_of(process) / "task", vanished);
    for (; !vanished && threads != fs::directory_iterator(); threads.increment(vanished)) {
        std::ifstream file(threads->path() / "children");
        for (pid_t child = 0; file >> child;)
            if (state_of_process(child) != ProcessState::gone) children.push_back(child);
    }
    return children;
}

std::vector<pid_t> living_descendants(pid_t process) {
    std::vector<pid_t> all = living_children(process);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::vector<pid_t> children = living_children(all[i]);
        all.insert(all.end(), children.begin(), children.end());
    }
    return all;
}

}  // namespace lockstep::pipeline
