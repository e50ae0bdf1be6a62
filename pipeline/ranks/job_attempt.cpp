#include "pipeline/ranks/job_attempt.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <random>
#include <string_view>

namespace lockstep::pipeline {
namespace {

constexpr const char* kNumber = "LOCKSTEP_JOB_ATTEMPT";
constexpr const char* kStart = "LOCKSTEP_JOB_START";
constexpr const char* kJob = "LOCKSTEP_JOB";

std::string_view in_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
}

}  // namespace

JobAttempt job_attempt() {
    JobAttempt attempt{.number = 1,
                       .job_utc = std::string(in_environment(kStart)),
                       .job = std::string(in_environment(kJob))};
    const std::string_view number = in_environment(kNumber);
    std::from_chars(number.data(), number.data() + number.size(), attempt.number);
    return attempt;
}

void set_job_attempt(const JobAttempt& attempt) {
    ::setenv(kNumber, std::to_string(attempt.number).c_str(), 1);
    ::setenv(kStart, attempt.job_utc.c_str(), 1);
    ::setenv(kJob, attempt.job.c_str(), 1);
}

std::string new_job() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

std::string new_token() {
    const JobAttempt attempt = job_attempt();
    return fmt::format("{}.{}", attempt.job.empty() ? new_job() : attempt.job, attempt.number);
}

bool are_of_one_job(std::string_view token, std::string_view other) {
    return !token.empty() && token.substr(0, token.rfind('.')) == other.substr(0, other.rfind('.'));
}

}  // namespace lockstep::pipeline
