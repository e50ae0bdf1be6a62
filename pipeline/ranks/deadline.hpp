#pragma once

// For what may hang where nobody watches: ranks that MPI does not bring together, a store whose
// files do not answer once all is trained.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace lockstep::pipeline {

// Ends the process with kExitInterrupted if it lives for longer than `limit`.
class Deadline {
public:
    // `tell` says so, and makes no call of MPI. Throws std::system_error if the system gives no
    // thread.
    Deadline(std::chrono::seconds limit, std::function<void()> tell);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

private:
    void run();

    std::chrono::seconds limit_;
    std::function<void()> tell_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool has_ended_ = false;
    std::thread thread_;
};

// For all ranks to start: where one ends before it has joined, or is another program (on one host,
// say), the others would wait for it for ever. Ranks other than 0 wait a little longer, so that one
// tells. Ten minutes unless given.
void set_start_deadline(std::optional<Deadline>& deadline,
                        std::optional<std::chrono::seconds> stall_timeout);

}  // namespace lockstep::pipeline
