#pragma once

// For ranks that MPI does not bring together. Where one of them ends before it has joined, or is
// another program (on one host, say), the others would wait for it for ever.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace lockstep::pipeline {

inline constexpr std::chrono::seconds kMostOfMpiStart{600};

// Ends the process with kExitInterrupted, which ends the job, and a line that says so, if it lives
// for longer than `limit`; ranks other than 0 wait a little longer, so that one tells. Makes no
// call of MPI.
class StartDeadline {
public:
    // Throws std::system_error if the system gives no thread.
    explicit StartDeadline(std::chrono::seconds limit);
    ~StartDeadline();
    StartDeadline(const StartDeadline&) = delete;
    StartDeadline& operator=(const StartDeadline&) = delete;

private:
    void run();

    std::chrono::seconds limit_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool has_started_ = false;
    std::thread thread_;
};

}  // namespace lockstep::pipeline
