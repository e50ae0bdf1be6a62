#include "pipeline/ranks/stop_request.hpp"

#include <csignal>
#include <initializer_list>

namespace lockstep::pipeline {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

void request_stop(int signal_number) {
    stop_requested = 1;
    std::signal(signal_number, SIG_DFL);
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
    if (!is_hangup_ignored()) sigaction(SIGHUP, &action, nullptr);
}

bool is_hangup_ignored() {
    struct sigaction now = {};
    sigaction(SIGHUP, nullptr, &now);
    return now.sa_handler == SIG_IGN;
}

bool is_stop_requested() { return stop_requested != 0; }

}  // namespace lockstep::pipeline
