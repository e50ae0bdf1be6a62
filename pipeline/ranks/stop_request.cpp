#include "pipeline/ranks/stop_request.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace lockstep::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

volatile std::sig_atomic_t stop_requested = 0;
SteadyClock::time_point stop_time = SteadyClock::time_point::max();

bool is_time_up() {
    return stop_time != SteadyClock::time_point::max() && SteadyClock::now() >= stop_time;
}

// Libraries of MPI's networks put handlers of their own on SIGHUP while they are loaded (Debian
// 13's Open MPI), so main() comes too late to see what nohup has set: it is noted before any
// library starts. Nothing is initialized by then, no sanitizer either, so the kernel itself is
// asked.
bool was_hangup_ignored = false;

__attribute__((no_sanitize("address", "undefined", "thread"))) void note_hangup(int, char**,
                                                                                char**) {
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        unsigned long mask;
    } action = {};
    syscall(SYS_rt_sigaction, SIGHUP, nullptr, &action, sizeof(action.mask));
    was_hangup_ignored = action.handler == SIG_IGN;
}

__attribute__((section(".preinit_array"),
               used)) void (*const kNoteHangupFirst)(int, char**, char**) = note_hangup;

void request_stop(int signal_number) {
    stop_requested = 1;
    if (signal_number == SIGINT || signal_number == SIGTERM) std::signal(signal_number, SIG_DFL);
}

}  // namespace

void catch_stop_signals() {
    struct sigaction action = {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) {
        sigaction(signal_number, &action, nullptr);
    }
    if (is_hangup_ignored()) action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, nullptr);
}

bool is_hangup_ignored() { return was_hangup_ignored; }

void request_stop_at(std::chrono::system_clock::time_point moment) {
    stop_time = SteadyClock::now() + (moment - std::chrono::system_clock::now());
}

bool is_stop_requested() { return stop_requested != 0 || is_time_up(); }

std::string_view stop_reason() { return stop_requested == 0 ? "by its time limit" : "on request"; }

}  // namespace lockstep::pipeline
