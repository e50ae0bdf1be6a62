#include "pipeline/ranks/supervisor.hpp"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/stop_request.hpp"

namespace lockstep::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookInterval{500};
constexpr seconds kMostOfStart{30};      // until the ranks listen, or are taken for stuck
constexpr seconds kMostWithoutRanks{4};  // for mpirun, to end after they have
constexpr seconds kMostOfEnd{5};         // for mpirun, to end after TERM
constexpr seconds kMostLeft{3};          // for ranks, to end after mpirun

}  // namespace

sigset_t supervised_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGTSTP}) {
        sigaddset(&set, signal_number);
    }
    if (!is_hangup_ignored()) sigaddset(&set, SIGHUP);
    return set;
}

Supervisor::Supervisor(pid_t child, ProgressDisplay& progress, const RankWords& words,
                       PulseFile* pulses, std::optional<seconds> stall_timeout)
    : child_(child), progress_(progress), words_(words), pulses_(pulses) {
    if (pulses != nullptr) watch_.emplace(pulses->pulses(), stall_timeout);
}

bool Supervisor::attend(int signal_descriptor) {
    signalfd_siginfo info{};
    while (::read(signal_descriptor, &info, sizeof info) == sizeof info)
        take(static_cast<int>(info.ssi_signo));
    if (::waitpid(child_, &status_, WNOHANG) == child_) return true;
    if (is_wish_waiting_) pass_wish_on();
    look_after_ranks();
    return false;
}

int Supervisor::exit_code() const {
    if (WIFEXITED(status_)) return WEXITSTATUS(status_);
    return 128 + WTERMSIG(status_);
}

bool Supervisor::was_killed() const { return WIFSIGNALED(status_); }

void Supervisor::take(int signal_number) {
    if (signal_number == SIGCHLD) return;
    if (signal_number == SIGTSTP) return stop_all_and_self();
    const auto now = SteadyClock::now();
    if (stops_++ == 0) {
        first_stop_ = now;
        is_wish_waiting_ = true;
        return progress_.message("stopping after this step; once more stops at once");
    }
    if (now - first_stop_ < kSameWish) return;
    const bool is_urgent = signal_number == SIGINT || signal_number == SIGTERM;
    ::kill(child_, is_urgent || is_wish_waiting_ ? SIGTERM : SIGUSR1);
    progress_.message("stopping at once");
}

// mpirun and its ranks die of a signal to which they do not listen yet.
void Supervisor::pass_wish_on() {
    const bool is_too_late = SteadyClock::now() - first_stop_ > kMostOfStart;
    if (!words_.are_ready && !is_too_late) return;
    is_wish_waiting_ = false;
    ::kill(child_, words_.are_ready ? SIGUSR1 : SIGTERM);
}

// As a shell's user expects of Ctrl-Z, and of `fg` after it.
void Supervisor::stop_all_and_self() const {
    std::vector<pid_t> all = living_descendants(child_);
    all.push_back(child_);
    for (const pid_t process : all) ::kill(process, SIGSTOP);
    ::raise(SIGSTOP);
    for (const pid_t process : all) ::kill(process, SIGCONT);
}

void Supervisor::look_after_ranks() {
    const auto now = SteadyClock::now();
    if (now - last_look_ < kLookInterval) return;
    // While this process itself was stopped nobody was expected to move.
    const std::chrono::duration<double> since_last =
        std::min<SteadyClock::duration>(now - last_look_, 2 * kLookInterval);
    last_look_ = now;
    if (ending_since_) {
        const auto since = now - *ending_since_;
        if (since > kMostOfEnd && !std::exchange(has_sent_term_, true)) ::kill(child_, SIGTERM);
        if (since > 2 * kMostOfEnd) ::kill(-child_, SIGKILL);
        return;
    }
    check_for_life(since_last);
}

void Supervisor::check_for_life(std::chrono::duration<double> since_last) {
    const bool has_children = !living_children(child_).empty();
    had_children_ = had_children_ || has_children;
    without_children_ =
        has_children ? std::chrono::duration<double>(0) : without_children_ + since_last;
    if (had_children_ && without_children_ > kMostWithoutRanks)
        return end_child("", 0);  // of the ranks: mpirun's own words, if any, tell
    const auto finding = watch_ ? watch_->look(since_last) : std::nullopt;
    if (!finding) return;
    if (!finding->is_end) return progress_.message(waiting_line(finding->text));
    has_ended_stall_ = finding->is_stall;
    has_found_gone_ = finding->process == 0;
    end_child(finding->text, finding->process);
}

// At the death of a rank mpirun ends the others. Told to end, it would first let one that is
// stopped go on.
void Supervisor::end_child(const std::string& why, pid_t stuck_rank) {
    if (found_.empty()) found_ = why;
    ending_since_ = SteadyClock::now();
    if (stuck_rank == 0 || ::kill(stuck_rank, SIGKILL) != 0) ::kill(child_, SIGTERM);
}

void Supervisor::clear_away() const {
    if (pulses_ == nullptr) return;
    const auto until = SteadyClock::now() + kMostLeft;
    for (const liveness::Pulse& pulse : pulses_->pulses()) {
        const auto process = static_cast<pid_t>(pulse.process.load());
        if (process == 0 || pulse.messages.load() > 0) continue;  // none, or on another machine
        while (state_of_process(process) != ProcessState::gone) {
            if (SteadyClock::now() > until) ::kill(process, SIGKILL);
            std::this_thread::sleep_for(milliseconds(10));
            if (SteadyClock::now() > until + kMostLeft) break;  // the kernel holds it
        }
    }
}

}  // namespace lockstep::pipeline
