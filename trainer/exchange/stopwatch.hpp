#pragma once

#include <chrono>

namespace lockstep::trainer {

// Adds up the time of the scopes that measure with it, by a steady clock.
class Stopwatch {
public:
    class Scope {
    public:
        explicit Scope(Stopwatch& watch) : watch_(watch), start_(Clock::now()) {}
        ~Scope() { watch_.total_ += Clock::now() - start_; }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        Stopwatch& watch_;
        std::chrono::steady_clock::time_point start_;
    };
    Scope measure() { return Scope(*this); }
    double seconds() const { return std::chrono::duration<double>(total_).count(); }

private:
    using Clock = std::chrono::steady_clock;
    Clock::duration total_{};
};

// Where the time of a step goes, beside computing.
struct StepClocks {
    Stopwatch exchange;  // gradients and batch statistics, waiting included
    Stopwatch data;      // gathering and scaling batches
};

}  // namespace lockstep::trainer
