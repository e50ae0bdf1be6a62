#include "pipeline/ranks/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/mpirun_process.hpp"
#include "pipeline/ranks/mpirun_words.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/ranks/supervisor.hpp"

namespace lockstep::pipeline {
namespace {

// Of mpirun that cannot start its daemon on another host, and of one that has lost it. It says the
// first for the second too, where it hears of the end of ssh before that of the daemon.
constexpr int kNoDaemons = 255;
constexpr int kHostLost = 205;

// Signals that wait to be read; they are blocked, and stay so: one that comes between two attempts
// is not lost.
Descriptor waiting_signals() {
    const sigset_t watched = supervised_signals();
    std::signal(SIGCHLD, SIG_DFL);  // ignored by the caller, no child's end would ever be told
    sigprocmask(SIG_BLOCK, &watched, nullptr);
    return Descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
}

void drain(int descriptor, LineSorter& lines) {
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        lines.take({buffer.data(), static_cast<std::size_t>(count)});
    }
}

std::string text_of(const ProcessEnd& end, PulseFile* pulses) {
    if (!end.rank && end.host.empty()) return end.how;
    if (!end.rank) return fmt::format("host {} {}", end.host, end.how);
    const auto rank = static_cast<std::size_t>(*end.rank);
    const liveness::Pulse* pulse = nullptr;
    if (pulses != nullptr && rank < pulses->pulses().size()) pulse = &pulses->pulses()[rank];
    if (pulse != nullptr && pulse->process.load() != 0)
        return fmt::format("{} {} in {}", Watch::name_of(*pulse), end.how, Watch::place_of(*pulse));
    const std::string host = end.host.empty() ? "" : fmt::format(" ({})", end.host);
    return fmt::format("rank {}{} {}", *end.rank, host, end.how);
}

// Of an end that nobody asked for: who was the first.
std::string cause_of(const LaunchOutcome& outcome, const Supervisor& supervisor,
                     PulseFile* pulses) {
    const auto end = first_end(outcome.words.mpirun);
    const bool is_found = !supervisor.found().empty();
    if (is_found && !(end && supervisor.has_found_gone())) return supervisor.found();
    if (!outcome.words.lost.empty()) return outcome.words.lost;
    if (end) return text_of(*end, pulses);
    const int code = outcome.exit_code;
    if (code > 128 && code <= 128 + SIGRTMAX) {
        return fmt::format("{} killed by signal {} ({})",
                           supervisor.was_killed() ? "mpirun was" : "the ranks were", code - 128,
                           ::strsignal(code - 128));
    }
    return fmt::format("mpirun ended with exit code {}", code);
}

bool is_end_unasked(const LaunchOutcome& outcome) {
    const RankWords& words = outcome.words;
    if (outcome.stop_requests > 0 || !words.error.empty()) return false;
    if (outcome.exit_code == 128 + SIGUSR1) return false;  // sent to the ranks themselves
    if (words.end && *words.end == outcome.exit_code) return false;
    // mpirun's own word; later it stands for a rank that has left early.
    return words.are_ready || outcome.exit_code != kExitSomeRunsFailed;
}

// mpirun's own codes, for what it means by them. Those above all signals that end programs, with
// which it ends before a rank is there, are its negative errors: -1 to -96.
int told_code(const LaunchOutcome& outcome) {
    constexpr int kLastSignal = 128 + SIGSYS;
    if (outcome.words.are_ready)
        return outcome.exit_code == kNoDaemons ? kHostLost : outcome.exit_code;
    const bool is_own = outcome.exit_code > kLastSignal && outcome.words.error.empty();
    return is_own ? kNoDaemons : outcome.exit_code;
}

}  // namespace

std::vector<std::string> mpirun_command(const Launch& launch) {
    std::vector<std::string> command{"mpirun", "-n", std::to_string(launch.ranks)};
    if (!launch.hosts.empty()) command.insert(command.end(), {"--host", launch.hosts});
    if (launch.ranks > (launch.slots > 0 ? launch.slots : launch.cores)) {
        command.insert(command.end(), {"--map-by", ":OVERSUBSCRIBE"});
    }
    // Bound ranks of two jobs on one machine would share cores while others idle: only ranks that
    // take the whole machine are bound.
    command.insert(command.end(), {"--bind-to", launch.ranks == launch.cores ? "core" : "none"});
    for (const std::string& name : launch.variables) command.insert(command.end(), {"-x", name});
    command.push_back(launch.program.string());
    command.insert(command.end(), launch.arguments.begin(), launch.arguments.end());
    return command;
}

LaunchOutcome launch(const Launch& launch, ProgressDisplay& progress, PulseFile* pulses) {
    LaunchOutcome outcome;
    const Descriptor signals = waiting_signals();
    Pipe lines_pipe = make_pipe();
    ::fcntl(lines_pipe.read_end.get(), F_SETFL, O_NONBLOCK);
    if (pulses != nullptr) pulses->offer();
    set_supervised(launch.ranks);
    Launch job = launch;
    job.variables = own_variables();
    const bool is_local = job.hosts.empty() && !is_in_batch_job();
    Supervisor supervisor(start_mpirun(mpirun_command(job), lines_pipe.write_end.get(), is_local),
                          progress, outcome.words, pulses, launch.stall_timeout);
    lines_pipe.write_end.close();

    LineSorter lines(progress, launch.log, outcome.words);
    bool has_ended = false;
    while (!has_ended) {
        std::array<pollfd, 2> sources{
            {{signals.get(), POLLIN, 0}, {lines_pipe.read_end.get(), POLLIN, 0}}};
        // The time limit covers a child's end whose signal came together with another's.
        ::poll(sources.data(), sources.size(), 500);  // a closed one, -1, is passed over
        drain(lines_pipe.read_end.get(), lines);
        has_ended = supervisor.attend(signals.get());
        if ((sources[1].revents & POLLIN) == 0 && (sources[1].revents & POLLHUP) != 0) {
            lines_pipe.read_end.close();  // poll() would return for it again and again
        }
    }
    supervisor.clear_away();
    drain(lines_pipe.read_end.get(), lines);
    lines.finish();
    outcome.exit_code = supervisor.exit_code();
    outcome.exit_code = told_code(outcome);
    outcome.stop_requests = supervisor.stop_requests();
    if (outcome.exit_code == kProgramNotStarted && outcome.words.others.empty()) {
        throw Failure(kExitUnavailable,
                      "cannot start mpirun; is Open MPI installed? (--ranks 1 needs none)");
    }
    outcome.is_stall = supervisor.has_ended_stall();
    if (is_end_unasked(outcome)) outcome.cause = cause_of(outcome, supervisor, pulses);
    return outcome;
}

bool wait_before_restart(std::chrono::seconds pause) {
    const Descriptor signals = waiting_signals();
    const auto until = std::chrono::steady_clock::now() + pause;
    signalfd_siginfo info{};
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return true;
        pollfd source{signals.get(), POLLIN, 0};
        ::poll(&source, 1, static_cast<int>(left.count()));
        while (::read(signals.get(), &info, sizeof info) == sizeof info)
            if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGTSTP) return false;
    }
}

int conclude(const LaunchOutcome& outcome, const Launch& launch, ProgressDisplay& progress) {
    progress.finish_line();
    const int code = outcome.exit_code;
    if (outcome.is_lost()) {
        progress.error(fmt::format("{}; the same command goes on; mpirun's own words: {}",
                                   outcome.cause, launch.log.string()));
        if (code == kNoDaemons) return kExitUnavailable;
        // A stuck rank was killed by the supervisor: 128 + 9 would say that it crashed.
        const bool says_nothing = code == kExitSuccess || code == kExitSomeRunsFailed;
        return outcome.is_stall || says_nothing ? kExitInterrupted : code;
    }
    if (code == kExitSuccess || outcome.words.end == code) return code;
    if (outcome.stop_requests > 0 || code == 128 + SIGUSR1) return kExitInterrupted;
    if (!outcome.words.error.empty()) return code;
    for (const std::string& line : outcome.words.others) progress.message("  mpirun: " + line);
    progress.error("mpirun could not start the ranks; --ranks 1 needs none");
    return kExitUnavailable;
}

}  // namespace lockstep::pipeline
