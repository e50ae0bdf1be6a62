#pragma once

// Passes walked with a clock: every call as it comes, or each of them alone.

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/network/pass_walker.hpp"
#include "trainer/network/step_plan.hpp"

namespace lockstep::trainer {

using BenchmarkClock = std::chrono::steady_clock;
inline double seconds(BenchmarkClock::duration time) {
    return std::chrono::duration<double>(time).count();
}

// Added up over steps: the time of each call of both passes, the forward pass first.
class CallTimes {
public:
    explicit CallTimes(const StepPlan& plan)
        : forward_(plan.forward_calls().size()),
          seconds_(forward_ + plan.backward_calls().size(), 0.0) {}

    void begin_step() { next_pass_ = 0; }
    // Where the next pass of the step adds its calls' times.
    std::span<double> next_pass() {
        const std::span<double> all(seconds_);
        return next_pass_++ == 0 ? all.first(forward_) : all.subspan(forward_);
    }
    bool is_backward() const { return next_pass_ == 2; }  // the pass that was given last
    std::span<const double> seconds() const { return seconds_; }

private:
    std::size_t forward_;
    std::vector<double> seconds_;
    int next_pass_ = 0;
};

// Looks at the clock once a call.
class ClockedWalker : public PassWalker {
public:
    // With `comm`, ranks come together before every call in which they meet and behind the backward
    // pass, outside of the clock: what is then measured has no waiting in it. Plan and comm must
    // outlive the walker.
    explicit ClockedWalker(const StepPlan& plan, const Communicator* comm = nullptr)
        : times_(plan), comm_(comm) {}
    void walk(std::span<const PlannedStep> calls, const StepContext& context) override;

    struct Stretch {
        BenchmarkClock::time_point begin, end;
    };
    CallTimes& times() { return times_; }
    // Of the last step: the forward and the backward pass.
    const std::array<Stretch, 2>& passes() const { return passes_; }

private:
    CallTimes times_;
    const Communicator* comm_;
    std::array<Stretch, 2> passes_;
};

// Makes every piece of work several times in a row, for all shards of the rank, and takes the mean
// without the first time: its buffers are as large as in a step, and nothing comes between. What it
// changes in place is put back before it is made again, its result at the end. All of its time is
// told of its last call. Calls in which ranks meet are made once and not measured.
class AloneWalker : public PassWalker {
public:
    AloneWalker(const StepPlan& plan, int repeats)
        : times_(plan),
          geometry_(plan.geometry()),
          gradients_(plan.gradients()),
          repeats_(repeats) {}
    void walk(std::span<const PlannedStep> calls, const StepContext& context) override;

    CallTimes& times() { return times_; }

private:
    double seconds_alone(const Work& work, const StepContext& context);

    CallTimes times_;
    const BatchGeometry& geometry_;
    std::vector<std::span<float>> gradients_;  // which backward calls write, and add up in place
    int repeats_;
};

}  // namespace lockstep::trainer
