#include "pipeline/ranks/job_attempt.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace lockstep::pipeline {
namespace {

constexpr const char* kNumber = "LOCKSTEP_JOB_ATTEMPT";
constexpr const char* kStart = "LOCKSTEP_JOB_START";

std::string_view in_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
}

}  // namespace

JobAttempt job_attempt() {
    JobAttempt attempt{.number = 1, .job_utc = std::string(in_environment(kStart))};
    const std::string_view number = in_environment(kNumber);
    std::from_chars(number.data(), number.data() + number.size(), attempt.number);
    return attempt;
}

void set_job_attempt(const JobAttempt& attempt) {
    ::setenv(kNumber, std::to_string(attempt.number).c_str(), 1);
    ::setenv(kStart, attempt.job_utc.c_str(), 1);
}

}  // namespace lockstep::pipeline
