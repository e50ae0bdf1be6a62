#pragma once

#include <signal.h>

#include <thread>
#include <utility>

namespace lockstep::pipeline {

// A thread that gets none of the process' signals: they are for the thread that trains.
template <class Work>
std::thread thread_without_signals(Work work) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(work));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace lockstep::pipeline
