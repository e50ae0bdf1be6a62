#pragma once

// Inside of the launcher: mpirun between its start and its end.

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/line_sorter.hpp"
#include "pipeline/ranks/pulse_page.hpp"
#include "pipeline/ranks/watch.hpp"

namespace lockstep::pipeline {

// The signals that a supervisor waits for.
sigset_t supervised_signals();

// Both references must outlive it.
class Supervisor {
public:
    Supervisor(pid_t child, ProgressDisplay& progress, const RankWords& words, PulseFile* pulses,
               std::optional<std::chrono::seconds> stall_timeout);

    // Handles the signals that wait, looks after the ranks; true when the child has ended.
    bool attend(int signal_descriptor);

    int stop_requests() const { return stops_; }
    int exit_code() const;
    bool was_killed() const;  // mpirun itself, by a signal
    // What it found itself; "" if nothing.
    const std::string& found() const { return found_; }
    bool has_ended_stall() const { return has_ended_stall_; }
    // That is a rank which was gone, by mpirun perhaps, at the loss of another.
    bool has_found_gone() const { return has_found_gone_; }
    // Ends what may be left of the ranks on this machine.
    void clear_away() const;

private:
    using SteadyClock = std::chrono::steady_clock;
    void take(int signal_number);
    void pass_wish_on();
    void stop_all_and_self() const;
    void look_after_ranks();
    void check_for_life(std::chrono::duration<double> since_last);
    void end_child(const std::string& why, pid_t stuck_rank);

    pid_t child_;
    ProgressDisplay& progress_;
    const RankWords& words_;
    PulseFile* pulses_;
    std::optional<Watch> watch_;
    int status_ = 0;
    int stops_ = 0;
    bool is_wish_waiting_ = false;
    bool had_children_ = false;
    std::string found_;
    bool has_ended_stall_ = false;
    bool has_found_gone_ = false;
    SteadyClock::time_point first_stop_{};
    SteadyClock::time_point last_look_ = SteadyClock::now();
    std::chrono::duration<double> without_children_{0};
    std::optional<SteadyClock::time_point> ending_since_;
    bool has_sent_term_ = false;
};

}  // namespace lockstep::pipeline
