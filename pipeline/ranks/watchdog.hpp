#pragma once

// A thread of a rank that looks after all ranks of its machine, where nobody else does: `mpirun
// lockstep run`, other machines than that of `lockstep run`, or once that one has been killed.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "pipeline/ranks/pulse_page.hpp"
#include "pipeline/ranks/watch.hpp"

namespace lockstep::pipeline {

// Ends the process with kExitInterrupted, which ends the job, once a rank is stuck or gone, with a
// line that names it. Of several ranks' watchdogs that of the lowest rank whose watchdog runs does
// so. Makes no call of MPI.
class Watchdog {
public:
    // `page` must outlive it. Throws std::system_error if the system gives no thread.
    Watchdog(const PulsePage& page, std::optional<std::chrono::seconds> stall_timeout);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    void run();
    bool is_foremost();
    void tell(const Watch::Finding& finding) const;

    const PulsePage& page_;
    Watch watch_;
    struct Other {
        std::uint32_t ticks = 0;
        int silent_looks = 0;
    };
    std::vector<Other> others_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool is_ending_ = false;
    std::thread thread_;
};

}  // namespace lockstep::pipeline
