#pragma once

// How long this process has stood still: stopped by a signal (Ctrl-Z, a batch system that suspends
// jobs), frozen with its container, or without a core for seconds. A thread that does nothing but
// look at the clock tells by the looks that it has missed. What was measured meanwhile says nothing
// about the program.

#include <chrono>
#include <mutex>

namespace lockstep::liveness {

// Safe to use from several threads.
class Standstill {
public:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;

    // How often look() is called; a look that comes later by kPatience was kept from it.
    static constexpr std::chrono::milliseconds kPeriod{500};
    static constexpr std::chrono::milliseconds kPatience{1000};

    void look(Clock::time_point now);
    // In all, up to `now`: also what the next look will find. Never falls while time goes on.
    Seconds until(Clock::time_point now) const;

private:
    Seconds missed(Clock::time_point now) const;  // since the last look

    mutable std::mutex mutex_;
    Clock::time_point last_{};  // none yet
    Seconds sum_{0};
};

// Of this process. Nobody looks in a process without a watchdog: it then has never stood still.
Standstill& own_standstill();

}  // namespace lockstep::liveness
