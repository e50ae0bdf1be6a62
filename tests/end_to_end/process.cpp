#include "tests/end_to_end/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void redirect(int descriptor, const fs::path& path, int flags) {
    const int file = ::open(path.c_str(), flags, 0600);
    if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
}

pid_t start(const std::vector<std::string>& command, const fs::path& folder) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child > 0) return child;
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, folder / "output", O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, folder / "errors", O_WRONLY | O_CREAT);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
}

int exit_code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(const std::vector<std::string>& command) : pid_(start(command, folder_.path())) {}

Process::~Process() {
    if (!is_running()) return;
    send(SIGKILL);
    wait();
}

bool Process::is_running() {
    int status = 0;
    if (exit_code_ < 0 && ::waitpid(pid_, &status, WNOHANG) == pid_)
        exit_code_ = exit_code_of(status);
    return exit_code_ < 0;
}

void Process::send(int signal_number) const { ::kill(pid_, signal_number); }

int Process::wait() {
    int status = 0;
    if (exit_code_ < 0 && ::waitpid(pid_, &status, 0) == pid_) exit_code_ = exit_code_of(status);
    return exit_code_;
}

std::string Process::output() const { return read_text(folder_ / "output"); }
std::string Process::errors() const { return read_text(folder_ / "errors"); }

Result run_to_end(const std::vector<std::string>& command) {
    Process process(command);
    const int exit_code = process.wait();
    return {exit_code, process.output(), process.errors()};
}

Result lockstep(const std::vector<std::string>& arguments) {
    return run_to_end(lockstep_command(arguments));
}

std::vector<std::string> lockstep_command(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{LOCKSTEP_BINARY};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

std::vector<std::string> mpirun_command(int ranks, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"mpirun", "--oversubscribe",     "--bind-to",    "none",
                                     "-n",     std::to_string(ranks), LOCKSTEP_BINARY};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

namespace {

// A command as one word of a shell's.
std::string shell_words(const std::vector<std::string>& command) {
    std::string words;
    for (const std::string& word : command) {
        words += " '";
        for (const char byte : word)
            words += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
        words += '\'';
    }
    return words;
}

}  // namespace

// By a shell that knows its rank: mpirun's own way, `-n 1 A : -n 1 B`, ends Open MPI 5.0.7 of
// Debian with a segmentation fault (open-mpi/ompi, issue 13303).
std::vector<std::string> mpirun_of_two(const std::vector<std::string>& first,
                                       const std::vector<std::string>& second) {
    return {"mpirun",
            "--oversubscribe",
            "--bind-to",
            "none",
            "-n",
            "2",
            "sh",
            "-c",
            "if [ \"$OMPI_COMM_WORLD_RANK\" = 0 ]; then exec" + shell_words(first) + "; else exec" +
                shell_words(second) + "; fi"};
}

std::vector<std::string> preloading(const std::string& library,
                                    const std::vector<std::string>& variables,
                                    const std::vector<std::string>& command) {
    // An address sanitizer wants to be the first library.
    std::vector<std::string> result{"env", "ASAN_OPTIONS=verify_asan_link_order=0"};
    result.insert(result.end(), variables.begin(), variables.end());
    result.push_back("LD_PRELOAD=" + library);
    result.insert(result.end(), command.begin(), command.end());
    return result;
}

std::string smoke_file() { return LOCKSTEP_EXPERIMENTS "/smoke.toml"; }

// Of a process that ends meanwhile, in /proc, it gets no further: no exception.
std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

fs::path run_folder(const fs::path& store, const std::string& name) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(store / "runs")) {
        const std::string id = entry.path().filename().string();
        if (id.substr(0, id.rfind('-')) == name) found.push_back(entry.path());
    }
    if (found.size() != 1) throw std::runtime_error("no single folder of run " + name);
    return found.front();
}

void wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 6000; ++i) {
        if (holds()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("what was waited for did not come");
}

std::vector<pid_t> processes_with(const std::string& text, const std::string& other) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (!std::all_of(name.begin(), name.end(),
                         [](unsigned char digit) { return std::isdigit(digit) != 0; })) {
            continue;
        }
        std::string command = read_text(entry.path() / "cmdline");  // empty for a zombie
        std::replace(command.begin(), command.end(), '\0', ' ');
        const bool is_match =
            command.find(text) != std::string::npos && command.find(other) != std::string::npos;
        if (is_match) found.push_back(std::stoi(name));
    }
    return found;
}

std::vector<pid_t> ranks_on(const fs::path& store) {
    std::vector<pid_t> ranks = processes_with(store.string(), "--as-rank");
    std::erase_if(ranks, [](pid_t process) {
        return read_text("/proc/" + std::to_string(process) + "/comm") != "lockstep\n";
    });
    return ranks;
}

namespace {

// The third field of /proc/PID/stat, behind the name in parentheses.
bool is_stopped(pid_t pid) {
    const std::string stat = read_text(fs::path("/proc") / std::to_string(pid) / "stat");
    const std::size_t name_end = stat.rfind(") ");
    return name_end != std::string::npos && stat.substr(name_end + 2, 1) == "T";
}

// SQLite's locks are POSIX ones; /proc/locks names them by "device:device:inode".
bool has_locks(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return false;
    std::istringstream locks(read_text("/proc/locks"));
    std::string inode(1, ':');
    inode.append(std::to_string(status.st_ino)).append(" ");
    for (std::string line; std::getline(locks, line);) {
        if (line.find("POSIX") != std::string::npos && line.find(inode) != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

void pause_outside_of_transactions(const Process& training, const fs::path& store) {
    wait_until([&] {
        training.send(SIGSTOP);
        wait_until([&] { return is_stopped(training.pid()); });
        const fs::path database = store / "lockstep.db";
        // A transaction that has begun to write has a journal beside the database.
        if (!has_locks(database) && !fs::exists(store / "lockstep.db-journal")) return true;
        training.send(SIGCONT);
        return false;
    });
}

}  // namespace lockstep::tests
