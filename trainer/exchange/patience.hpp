#pragma once

// How a rank waits for others.
//
// First it looks again and again, since mostly they come within microseconds; then it offers its
// core to whoever wants it, and then sleeps, ever longer: a rank that waits long takes no core from
// one that works. From the end of the first phase on it lets MPI go on with what is under way: a
// peer may itself wait for a message that this rank's MPI has not got rid of yet.

#include <mpi.h>

#include <chrono>
#include <optional>
#include <span>

#include "liveness/pulse.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/shared_counter.hpp"

namespace lockstep::trainer {

// For one wait; made anew for the next.
class Patience {
public:
    // How long a rank stays awake. What is awaited in memory wakes it; messages do not, so it looks
    // for them as long as they may be under way between two nodes.
    static constexpr std::chrono::microseconds kAwakeForCounters{200};
    static constexpr std::chrono::microseconds kAwakeForMessages{2000};

    // comm: whose messages go on meanwhile; null without MPI (threads for ranks).
    explicit Patience(const Communicator* comm, std::chrono::microseconds awake = kAwakeForCounters)
        : comm_(comm), awake_(awake) {}

    // Once for each look at what is awaited: returns when it is time for the next one.
    void wait_a_moment();
    // The same, where that is another rank's counter: its raising ends a sleep.
    void wait_a_moment_for(SharedCounter& counter, std::uint32_t target);

private:
    using Clock = std::chrono::steady_clock;
    enum class Phase { look, offer, sleep };

    Phase next_phase();
    bool stays_awake();  // the moment is over; else it is time to sleep
    void let_messages_go_on() const;

    const Communicator* comm_;
    std::chrono::microseconds awake_;
    Phase phase_ = Phase::look;
    int looks_ = 0;
    Clock::time_point start_{};
    std::chrono::microseconds sleep_{0};
    std::optional<liveness::Waiting> waiting_;  // from the first sleep on
};

// Waits for all of them, with patience that is new for each: while messages come, nobody sleeps.
void wait_for_all(std::span<MPI_Request> requests);

}  // namespace lockstep::trainer
