#pragma once

// The program as a user starts it.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {

// A started program, with its output in files. Killed, if it still runs, at the end of its scope.
class Process {
public:
    explicit Process(const std::vector<std::string>& command);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    bool is_running();
    void send(int signal_number) const;
    int wait();  // the exit code; 128 + signal
    std::string output() const;
    std::string errors() const;

private:
    TemporaryDirectory folder_;
    pid_t pid_;
    int exit_code_ = -1;  // -1: still running
};

struct Result {
    int exit_code = 0;
    std::string output;
    std::string errors;
};

// A command, to its end.
Result run_to_end(const std::vector<std::string>& command);
// `lockstep ARGUMENTS...`, the same.
Result lockstep(const std::vector<std::string>& arguments);
std::vector<std::string> lockstep_command(const std::vector<std::string>& arguments);
// The same under `mpirun -n RANKS`.
std::vector<std::string> mpirun_command(int ranks, const std::vector<std::string>& arguments);

// `mpirun` with these two programs as rank 0 and rank 1.
std::vector<std::string> mpirun_of_two(const std::vector<std::string>& first,
                                       const std::vector<std::string>& second);
// A command with a library of tests/end_to_end/preloaded/ in front of all others, and with further
// variables, each "NAME=VALUE", in its environment.
std::vector<std::string> preloading(const std::string& library,
                                    const std::vector<std::string>& variables,
                                    const std::vector<std::string>& command);

std::string smoke_file();  // experiments/smoke.toml
std::string read_text(const std::filesystem::path& path);

// The one folder runs/NAME-* of a store. Throws std::runtime_error if there is not exactly one.
std::filesystem::path run_folder(const std::filesystem::path& store, const std::string& name);

// Polls until it holds. Throws std::runtime_error if that takes more than a minute.
void wait_until(const std::function<bool()>& holds);

// Stops a training of one process (SIGSTOP) while it holds no lock of its run database, so that
// others can read and write it. SIGCONT lets it go on.
void pause_outside_of_transactions(const Process& training, const std::filesystem::path& store);

// Processes whose command line has both texts.
std::vector<pid_t> processes_with(const std::string& text, const std::string& other);
// The ranks that a supervisor started on a store; neither mpirun nor the supervisor.
std::vector<pid_t> ranks_on(const std::filesystem::path& store);

}  // namespace lockstep::tests
