#include "pipeline/recording/background_writer.hpp"

#include <signal.h>

#include <chrono>
#include <utility>

namespace lockstep::pipeline {
namespace {

// A thread that is started meanwhile takes no signals, for good: the wish to stop is the trainer's,
// and no write is interrupted in its midst.
class SignalsHeldBack {
public:
    SignalsHeldBack() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsHeldBack(const SignalsHeldBack&) = delete;
    SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

BackgroundWriter::BackgroundWriter() {
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

BackgroundWriter::~BackgroundWriter() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void BackgroundWriter::start(Work work) {
    settle();
    in_flight_ = work.get_future();
    {
        const std::lock_guard lock(mutex_);
        next_ = std::move(work);
    }
    changed_.notify_one();
}

void BackgroundWriter::check() {
    if (!in_flight_.valid()) return;
    if (in_flight_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) settle();
}

void BackgroundWriter::settle() {
    if (in_flight_.valid()) in_flight_.get();
}

// Work that was handed over is done, also if the end was asked for before it was taken.
void BackgroundWriter::run() {
    for (;;) {
        Work work;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_ending_ || next_.valid(); });
            if (!next_.valid()) return;
            work = std::exchange(next_, Work());
        }
        work();
    }
}

}  // namespace lockstep::pipeline
