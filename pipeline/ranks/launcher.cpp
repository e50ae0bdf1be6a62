#include "pipeline/ranks/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/stop_request.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLastWords = 12;   // lines kept to explain an end nobody told
constexpr int kProgramNotStarted = 127;  // what a shell says for it too

// Containers may forbid the system call by which Open MPI copies between ranks.
bool can_copy_between_processes() {
    char from = 1;
    char to = 0;
    iovec local{&to, 1};
    iovec remote{&from, 1};
    return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

// A file descriptor, closed at the end of its scope.
class Descriptor {
public:
    explicit Descriptor(int value = -1) : value_(value) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }
    void close() {
        if (value_ >= 0) ::close(std::exchange(value_, -1));
    }

private:
    int value_;
};

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Failure(kExitSystem, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

sigset_t supervised_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD}) {
        sigaddset(&set, signal_number);
    }
    if (!is_hangup_ignored()) sigaddset(&set, SIGHUP);
    return set;
}

// Blocks the signals a supervisor waits for; gives them back at the end of the scope.
class BlockedSignals {
public:
    BlockedSignals() {
        const sigset_t set = supervised_signals();
        sigprocmask(SIG_BLOCK, &set, &before_);
    }
    ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;
    const sigset_t& before() const { return before_; }

private:
    sigset_t before_{};
};

void set_default(const char* name, const char* value) { ::setenv(name, value, 0); }

void prepare_environment() {
    ::setenv("OMP_NUM_THREADS", "1", 1);  // a rank is a core, whatever other programs get
    // What srun has told a shell is not about the ranks to come.
    for (const char* name : {"PMI_RANK", "PMI_SIZE", "PMI_FD", "PMIX_RANK", "PMIX_NAMESPACE"}) {
        ::unsetenv(name);
    }
    if (::geteuid() == 0) {
        set_default("OMPI_ALLOW_RUN_AS_ROOT", "1");
        set_default("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    }
    // Open MPI would open libfabric to look for networks between nodes: 0.2 s of each start.
    if (!is_in_batch_job()) set_default("OMPI_MCA_pml", "^cm");
    if (!can_copy_between_processes()) {
        set_default("OMPI_MCA_btl_vader_single_copy_mechanism", "none");  // Open MPI 4
        set_default("OMPI_MCA_smsc", "^cma");                             // Open MPI 5
    }
}

// In the child: becomes mpirun, or ends.
[[noreturn]] void become(const std::vector<std::string>& command, int standard_error,
                         const BlockedSignals& signals, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (::getppid() != parent) ::_exit(kProgramNotStarted);  // it died before prctl
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(standard_error, STDERR_FILENO);
    sigprocmask(SIG_SETMASK, &signals.before(), nullptr);
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(kProgramNotStarted);
}

pid_t start(const std::vector<std::string>& command, int standard_error,
            const BlockedSignals& signals) {
    prepare_environment();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        throw Failure(kExitSystem, fmt::format("cannot start mpirun: {}", std::strerror(errno)));
    }
    if (child == 0) become(command, standard_error, signals, parent);
    ::setpgid(child, child);  // in both, whoever comes first
    return child;
}

// Sorts the lines that come from mpirun and its ranks.
class LineSorter {
public:
    LineSorter(ProgressDisplay& progress, const std::filesystem::path& log, LaunchOutcome& outcome)
        : progress_(progress), log_path_(log), outcome_(outcome) {}

    void take(std::string_view bytes) {
        pending_ += bytes;
        std::size_t begin = 0;
        for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            sort(std::string_view(pending_).substr(begin, end - begin));
        }
        pending_.erase(0, begin);
    }

    void finish() {
        if (!pending_.empty()) sort(pending_);
        pending_.clear();
    }

private:
    void sort(std::string_view line) {
        std::optional<ProgressEvent> event = decode_progress(line);
        if (!event && line.starts_with(ProgressSink::kErrorPrefix)) {
            event = ProgressEvent{.kind = ProgressEvent::Kind::message, .text = std::string(line)};
        }
        if (event) return show(*event);
        if (!line.empty()) keep(line);
    }

    void show(const ProgressEvent& event) {
        const bool is_error = event.text.starts_with(ProgressSink::kErrorPrefix) &&
                              !event.text.starts_with("lockstep: warning");
        outcome_.has_told_error = outcome_.has_told_error || is_error;
        progress_.show(event);
    }

    void keep(std::string_view line) {
        if (!log_.is_open()) log_.open(log_path_, std::ios::app);
        log_ << line << '\n';  // a log that cannot be written is no reason to stop
        outcome_.last_words.emplace_back(line);
        if (outcome_.last_words.size() > kLastWords) {
            outcome_.last_words.erase(outcome_.last_words.begin());
        }
    }

    ProgressDisplay& progress_;
    std::filesystem::path log_path_;
    std::ofstream log_;
    LaunchOutcome& outcome_;
    std::string pending_;  // a line whose end has not come yet
};

// The child between its start and its end.
class Supervisor {
public:
    Supervisor(pid_t child, ProgressDisplay& progress) : child_(child), progress_(progress) {}

    // Handles the signals that wait; true when the child has ended.
    bool handle_signals(int signal_descriptor) {
        signalfd_siginfo info{};
        while (::read(signal_descriptor, &info, sizeof info) == sizeof info) {
            if (info.ssi_signo != SIGCHLD) pass_on(static_cast<int>(info.ssi_signo));
        }
        return ::waitpid(child_, &status_, WNOHANG) == child_;
    }

    int stop_requests() const { return stops_; }

    int exit_code() const {
        if (WIFEXITED(status_)) return WEXITSTATUS(status_);
        // Asked to stop before it could listen: as resumable as a stop in order.
        if (stops_ > 0 && WTERMSIG(status_) == SIGUSR1) return kExitInterrupted;
        return 128 + WTERMSIG(status_);
    }

private:
    void pass_on(int signal_number) {
        const bool is_urgent = signal_number == SIGINT || signal_number == SIGTERM;
        const bool is_first = stops_++ == 0;
        ::kill(child_, is_urgent && !is_first ? SIGTERM : SIGUSR1);
        if (!is_urgent && !is_first) return;  // the same wish on another way
        progress_.message(is_first ? "stopping after this step; once more stops at once"
                                   : "stopping at once");
    }

    pid_t child_;
    ProgressDisplay& progress_;
    int status_ = 0;
    int stops_ = 0;
};

void drain(int descriptor, LineSorter& lines) {
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        lines.take({buffer.data(), static_cast<std::size_t>(count)});
    }
}

}  // namespace

std::vector<std::string> mpirun_command(const Launch& launch) {
    std::vector<std::string> command{"mpirun", "-n", std::to_string(launch.ranks)};
    if (!launch.hostfile.empty()) {
        command.insert(command.end(), {"--hostfile", launch.hostfile.string()});
    }
    if (launch.ranks > (launch.slots > 0 ? launch.slots : launch.cores)) {
        command.insert(command.end(), {"--map-by", ":OVERSUBSCRIBE"});
    }
    // Bound ranks of two jobs on one machine would share cores while others idle: only ranks that
    // take the whole machine are bound.
    command.insert(command.end(), {"--bind-to", launch.ranks == launch.cores ? "core" : "none"});
    command.push_back(launch.program.string());
    command.insert(command.end(), launch.arguments.begin(), launch.arguments.end());
    return command;
}

LaunchOutcome launch(const Launch& launch, ProgressDisplay& progress) {
    LaunchOutcome outcome;
    const BlockedSignals signals;
    const sigset_t watched = supervised_signals();
    const Descriptor signal_descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
    Pipe lines_pipe = make_pipe();
    ::fcntl(lines_pipe.read_end.get(), F_SETFL, O_NONBLOCK);
    Supervisor supervisor(start(mpirun_command(launch), lines_pipe.write_end.get(), signals),
                          progress);
    lines_pipe.write_end.close();

    LineSorter lines(progress, launch.log, outcome);
    bool has_ended = false;
    while (!has_ended) {
        std::array<pollfd, 2> sources{
            {{signal_descriptor.get(), POLLIN, 0}, {lines_pipe.read_end.get(), POLLIN, 0}}};
        // The time limit covers a child's end whose signal came together with another's.
        ::poll(sources.data(), sources.size(), 500);  // a closed one, -1, is passed over
        drain(lines_pipe.read_end.get(), lines);
        has_ended = supervisor.handle_signals(signal_descriptor.get());
        if ((sources[1].revents & POLLIN) == 0 && (sources[1].revents & POLLHUP) != 0) {
            lines_pipe.read_end.close();  // poll() would return for it again and again
        }
    }
    drain(lines_pipe.read_end.get(), lines);
    lines.finish();
    outcome.exit_code = supervisor.exit_code();
    outcome.stop_requests = supervisor.stop_requests();
    if (outcome.exit_code == kProgramNotStarted && outcome.last_words.empty()) {
        throw Failure(kExitUnavailable,
                      "cannot start mpirun; is Open MPI installed? (--ranks 1 needs none)");
    }
    return outcome;
}

int conclude(const LaunchOutcome& outcome, const Launch& launch, ProgressDisplay& progress) {
    progress.finish_line();
    const int code = outcome.exit_code;
    if (code == kExitSuccess || code == kExitInterrupted || outcome.has_told_error) return code;
    if (outcome.stop_requests > 0) return kExitInterrupted;
    for (const std::string& line : outcome.last_words) progress.message("  mpirun: " + line);
    if (code == kExitSomeRunsFailed) {  // mpirun's own word: a rank would have told its errors
        progress.error("mpirun could not start the ranks; --ranks 1 needs none");
        return kExitUnavailable;
    }
    const std::string how = code > 128 ? fmt::format("were killed by signal {} ({})", code - 128,
                                                     ::strsignal(code - 128))
                                       : fmt::format("ended with exit code {}", code);
    progress.error(fmt::format("the ranks {}; the same command resumes; mpirun's own words: {}",
                               how, launch.log.string()));
    return code;
}

}  // namespace lockstep::pipeline
