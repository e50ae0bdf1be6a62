#include "storage/files/process_life.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLongestEnd{2};
constexpr std::chrono::milliseconds kPause{5};

fs::path folder_of(pid_t process) { return fmt::format("/proc/{}", process); }

// The fields of /proc/PID/stat behind the name, which may hold anything: the state is the third of
// all (proc(5)). "" where the system does not tell.
std::string fields_behind_name(const fs::path& stat) {
    std::ifstream file(stat);
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(") ");
    return name_end == std::string::npos ? "" : line.substr(name_end + 2);
}

char state_letter(const fs::path& stat) {
    const std::string fields = fields_behind_name(stat);
    return fields.empty() ? '?' : fields.front();
}

bool is_dead(char letter) { return letter == 'Z' || letter == 'X'; }

// The first thread of a killed process is a zombie while others still end.
bool has_living_thread(const fs::path& process) {
    std::error_code vanished;
    fs::directory_iterator thread(process / "task", vanished);
    for (; !vanished && thread != fs::directory_iterator(); thread.increment(vanished)) {
        const char letter = state_letter(thread->path() / "stat");
        if (letter != '?' && !is_dead(letter)) return true;
    }
    return false;
}

}  // namespace

char state_letter_of(pid_t process) { return state_letter(folder_of(process) / "stat"); }

std::int64_t process_start(pid_t process, const fs::path& proc) {
    std::istringstream fields(fields_behind_name(proc / std::to_string(process) / "stat"));
    char state = 'X';
    fields >> state;
    if (is_dead(state)) return 0;  // waits for its parent to take notice
    std::string skipped;
    for (int field = 4; field < 22; ++field) fields >> skipped;
    std::int64_t start = 0;
    fields >> start;
    return start;
}

ProcessLife life_of_process(pid_t process) {
    if (process <= 0) return ProcessLife::gone;
    if (::kill(process, 0) != 0 && errno == ESRCH) return ProcessLife::gone;
    if (!is_dead(state_letter_of(process))) return ProcessLife::lives;
    return has_living_thread(folder_of(process)) ? ProcessLife::ending : ProcessLife::gone;
}

bool is_process_gone(pid_t process) {
    const auto until = std::chrono::steady_clock::now() + kLongestEnd;
    ProcessLife life = life_of_process(process);
    while (life == ProcessLife::ending && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kPause);
        life = life_of_process(process);
    }
    return life == ProcessLife::gone;
}

}  // namespace lockstep::storage
