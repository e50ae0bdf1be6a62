#pragma once

// Which start of the ranks by one `lockstep run` this is; ranks learn it from the environment.

#include <string>
#include <string_view>

namespace lockstep::pipeline {

struct JobAttempt {
    int number = 1;       // from 1
    std::string job_utc;  // when the first one began; "" outside of such a job
    std::string job{};    // a name that no other job has; "" outside
};
JobAttempt job_attempt();

// For ranks that are started from now on.
void set_job_attempt(const JobAttempt& attempt);

std::string new_job();

// What attempts of this start of the ranks carry in the store: "<job>.<number>". Another token each
// time it is asked for, outside of a job that was named.
std::string new_token();
// Whether two tokens are of one job, whatever its starts.
bool are_of_one_job(std::string_view token, std::string_view other);

}  // namespace lockstep::pipeline
