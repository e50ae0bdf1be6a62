#include "pipeline/care/consent.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_session.hpp"

namespace lockstep::pipeline {
namespace {

bool is_asked(const std::string& question) {
    std::fputs((question + " [y/N] ").c_str(), stderr);
    std::fflush(stderr);
    std::string answer;
    if (!std::getline(std::cin, answer)) std::fputs("\n", stderr);  // Ctrl-D ends no line
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

bool has_consent(const ConsentOptions& options, const std::string& question) {
    const bool can_ask = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    const bool is_dry_run = options.is_dry_run || (!options.is_given && !can_ask);
    if (is_dry_run) {
        tell_failure({kExitSuccess, "dry run: nothing was removed; --yes removes it"});
        return false;
    }
    if (options.is_given || is_asked(question)) return true;
    tell_failure({kExitSuccess, "nothing was removed"});
    return false;
}

}  // namespace lockstep::pipeline
