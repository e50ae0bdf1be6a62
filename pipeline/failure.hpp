#pragma once

// Exceptions as the process's last word: one line and an exit code.

#include <exception>
#include <stdexcept>
#include <string>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// The command line is wrong. what() says how, and what might have been meant.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A failure with an exit code of its own.
class Failure : public std::runtime_error {
public:
    Failure(int exit_code, const std::string& message)
        : std::runtime_error(message), exit_code_(exit_code) {}
    int exit_code() const { return exit_code_; }

private:
    int exit_code_;
};

// A failure every rank knows of: all of them throw it at the same point, so the job can end in
// order instead of being torn down, and rank 0 alone tells it.
class AgreedFailure : public Failure {
public:
    using Failure::Failure;
};

// The exit code and the words of any exception.
Failure failure_of(const std::exception_ptr& error);

// Throws AgreedFailure on every rank if any of them brings an error: that of the lowest such rank.
// Collective; the ranks without an error pass null.
void agree_on_errors(const trainer::Communicator& comm, const std::exception_ptr& error);

// Runs `work`, which must not communicate, on every rank of `comm`, and agrees on its errors.
template <class Work>
void do_on_all(const trainer::Communicator& comm, Work&& work) {
    std::exception_ptr error;
    try {
        work();
    } catch (...) {
        error = std::current_exception();
    }
    agree_on_errors(comm, error);
}

// As do_on_all(), with `work` on rank 0 alone.
template <class Work>
void do_on_root(const trainer::Communicator& comm, Work&& work) {
    do_on_all(comm, [&] {
        if (comm.is_root()) work();
    });
}

}  // namespace lockstep::pipeline
