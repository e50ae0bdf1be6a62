#include "pipeline/ranks/stop_request.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <initializer_list>

namespace lockstep::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

volatile std::sig_atomic_t stop_requested = 0;
std::atomic<std::time_t> first_wish{0};  // in milliseconds of the steady clock
static_assert(std::atomic<std::time_t>::is_always_lock_free);
SteadyClock::time_point stop_time = SteadyClock::time_point::max();

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

std::time_t steady_milliseconds() {  // may be called by a handler
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void request_stop(int signal_number) {
    const std::time_t now = steady_milliseconds();
    std::time_t first = 0;
    stop_requested = 1;
    if (first_wish.compare_exchange_strong(first, now)) return;
    if (now - first < std::chrono::milliseconds(kSameWish).count()) return;
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);  // delivered when the handler returns
}

// Told every second from the limit on until the process ends.
void request_stop_for_cpu_time(int) {
    std::time_t none = 0;
    first_wish.compare_exchange_strong(none, steady_milliseconds());
    stop_requested = 1;
}

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
        sigaddset(&set, signal_number);
    return set;
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
    std::signal(SIGXCPU, request_stop_for_cpu_time);
    if (is_hangup_ignored()) action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, nullptr);
    const sigset_t caught = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &caught, nullptr);
}

void set_signals() {
    std::signal(SIGCHLD, SIG_DFL);
    std::signal(SIGXFSZ, SIG_IGN);  // a write beyond `ulimit -f` fails, as any other can
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2})
        std::signal(signal_number, SIG_DFL);
    const sigset_t blocked = stop_signals();
    sigprocmask(SIG_SETMASK, &blocked, nullptr);
}

void let_signals_end() {
    const sigset_t blocked = stop_signals();
    sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
}

bool is_hangup_ignored() { return was_hangup_ignored; }

void request_stop_at(std::chrono::system_clock::time_point moment) {
    stop_time = SteadyClock::now() + (moment - std::chrono::system_clock::now());
}

bool is_time_up() {
    return stop_time != SteadyClock::time_point::max() && SteadyClock::now() >= stop_time;
}

bool is_stop_requested() { return stop_requested != 0 || is_time_up(); }

std::string_view stop_reason() { return stop_requested == 0 ? "by its time limit" : "on request"; }

}  // namespace lockstep::pipeline
