#pragma once

// Keeps an attempt's claim on its run alive, beside the training: a thread with a connection of its
// own renews the lease four times in its length.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace lockstep::pipeline {

// Signals are delivered to other threads. A database that cannot be written now is tried again.
class LeaseKeeper {
public:
    // `has_lock`: nobody else can take the run while this process lives (run_lock.hpp).
    // Throws std::system_error if the system gives no thread.
    LeaseKeeper(std::filesystem::path database, std::string run, int attempt,
                std::chrono::seconds lease, bool has_lock);
    ~LeaseKeeper();
    LeaseKeeper(const LeaseKeeper&) = delete;
    LeaseKeeper& operator=(const LeaseKeeper&) = delete;

    // Training goes on. Without a sign of it for ten leases no more are renewed: whoever hangs does
    // not hold its run for ever.
    void note_progress();

    // Another attempt has taken the run. Never untrue again.
    bool is_taken_over() const { return is_taken_over_; }
    void note_taken_over() { is_taken_over_ = true; }

    // Also while the database cannot be asked: by the run's lock, or as the last heartbeat is
    // younger than the lease by a clock that nobody sets.
    bool holds_run() const;

private:
    using Clock = std::chrono::steady_clock;
    void run();
    void renew();
    static Clock::rep now();  // also counts while the machine is suspended

    const std::filesystem::path database_;
    const std::string run_;
    const int attempt_;
    const std::chrono::seconds lease_;
    const bool has_lock_;
    std::atomic<Clock::rep> progress_{now()};
    std::atomic<Clock::rep> renewed_{now()};
    std::atomic<bool> is_taken_over_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_ending_ = false;  // under the mutex
    std::thread thread_;
};

}  // namespace lockstep::pipeline
