#pragma once

// Whether something may be removed: by --yes, or by a person who is asked on a terminal. Else
// nothing is, and it was a dry run.

#include <string>

namespace lockstep::pipeline {

struct ConsentOptions {
    bool is_dry_run = false;
    bool is_given = false;  // --yes
};

// Asks `question` on standard error where both it and standard input are a terminal; "y" and "yes"
// agree. Tells where nothing will be done, and what would.
bool has_consent(const ConsentOptions& options, const std::string& question);

}  // namespace lockstep::pipeline
