#pragma once

// Which start of the ranks by one `lockstep run` this is; ranks learn it from the environment.

#include <string>

namespace lockstep::pipeline {

struct JobAttempt {
    int number = 1;       // from 1
    std::string job_utc;  // when the first one began; "" outside of such a job
};
JobAttempt job_attempt();

// For ranks that are started from now on.
void set_job_attempt(const JobAttempt& attempt);

}  // namespace lockstep::pipeline
