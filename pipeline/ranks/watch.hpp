#pragma once

// Tells from the signs of life of a machine's ranks which of them is stuck.
//
// A rank that gives no sign is either waiting for others or the one they wait for; it says which.
// A stopped process may have said anything: the kernel tells. A machine that no longer sends signs
// of its ranks (pulse_messages.hpp) is taken for gone, but only while somebody else
// makes no progress either: a network may drop such messages and nothing else. How long a rank may
// be silent follows the steps seen so far: what takes minutes on a slow machine is no stall there.
// Disks have times of their own.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liveness/pulse.hpp"
#include "pipeline/ranks/process_state.hpp"

namespace lockstep::pipeline {

class Watch {
public:
    using Seconds = std::chrono::duration<double>;

    struct Finding {
        pid_t process = 0;           // of the rank; 0: gone, or of another machine
        bool is_end = false;         // the job cannot go on; else it is a word to its user
        bool is_stall = false;       // the rank may live
        std::string unheard_host{};  // from which nothing has come for a while; "" if it has
        std::string text;  // "rank 1 (node07, process 123): no progress for 60 s in forward, ..."
    };

    // pulses          of all ranks; those of other machines as they tell, or zeros
    // stall_timeout   unset: twenty times the longest step, at least 60 s; 10 minutes where disks
    //                 are read or written, and before the first step has passed
    // state_of        of a process
    Watch(std::span<const liveness::Pulse> pulses,
          std::optional<std::chrono::seconds> stall_timeout,
          std::function<ProcessState(pid_t)> state_of = state_of_process);

    // One look, so much time after the one before. Finds each silence once.
    std::optional<Finding> look(Seconds since_last);

    // "rank 1 (node07, process 123)" and where it is: "forward, step 812".
    static std::string name_of(const liveness::Pulse& pulse);
    static std::string place_of(const liveness::Pulse& pulse);

private:
    struct Rank {
        std::uint32_t beats = 0;
        std::int64_t step = -1;
        ProcessState state = ProcessState::alive;
        bool is_told = false;
        std::uint32_t messages = 0;
        Seconds unheard{0};  // since the last message, of another machine's
        Seconds silence{0};
        Seconds gone{0};  // since its process was first seen to be
        Seconds since_step{0};
    };
    void update(std::size_t rank, Seconds since_last);
    void measure(std::int64_t before, std::int64_t step, const liveness::Pulse& pulse,
                 Seconds taken);
    bool is_known(std::size_t rank) const;
    bool is_here(std::size_t rank) const;
    bool is_deaf() const;  // nobody here receives what others tell
    bool is_unheard(std::size_t rank) const;
    bool is_out(std::size_t rank) const;
    bool is_anyone_held_up() const;
    std::string text_of(std::size_t rank) const;
    bool waits(std::size_t rank) const;
    std::optional<std::size_t> suspect() const;
    std::optional<Finding> find_gone() const;
    Seconds limit_of(std::size_t rank) const;
    Seconds told_after() const;

    std::span<const liveness::Pulse> pulses_;
    std::optional<std::chrono::seconds> stall_timeout_;
    std::function<ProcessState(pid_t)> state_of_;
    std::vector<Rank> ranks_;
    Seconds longest_step_{0};
};

}  // namespace lockstep::pipeline
