#pragma once

// Exceptions as the process's last word: one line and an exit code.

#include <exception>
#include <stdexcept>
#include <string>

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

// A failure that another rank has told already: nobody tells it again.
class ToldFailure : public Failure {
public:
    using Failure::Failure;
};

// The exit code and the words of any exception.
Failure failure_of(const std::exception_ptr& error);

}  // namespace lockstep::pipeline
