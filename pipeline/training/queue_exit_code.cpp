#include "pipeline/training/queue_exit_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {

using trainer::Communicator;

std::vector<int> codes_of_left(const Queue& queue, const std::vector<LeftRun>& left,
                               bool is_stopped, ProgressSink& progress) {
    std::vector<int> exit_codes;
    for (const LeftRun& run : left) {
        const std::string& name = queue.plan.runs[run.run].run.config.name;
        if (run.is_removed) {
            progress.message(name + ": removed from the store meanwhile, not trained");
        } else if (run.state == storage::RunState::failed) {
            exit_codes.push_back(kExitSomeRunsFailed);
            progress.error(
                fmt::format("{}: failed {}; --retry-failed retries", name,
                            run.is_own ? "before the ranks were started again" : "in another job"));
        } else {
            exit_codes.push_back(is_stopped ? kExitInterrupted : kExitLeftToOthers);
            if (!run.holder.empty()) {
                progress.message(fmt::format("{}: left to {}, which trains it", name, run.holder));
            }
        }
    }
    return exit_codes;
}

std::vector<LeftRun> left_runs(const RunClaims& claims, const std::vector<std::size_t>& runs,
                               bool is_stopped) {
    try {
        return claims.left(runs, is_stopped ? kWaitAfterStop : kWaitBetweenRuns);
    } catch (const storage::StorageError&) {
        if (!is_stopped) throw;
        return {LeftRun{.run = runs.front(), .state = storage::RunState::interrupted}};
    }
}

std::vector<int> gathered(const Communicator& world, const std::vector<int>& exit_codes) {
    std::vector<int> all;
    for (const std::string& text :
         world.gather_texts(fmt::format("{}", fmt::join(exit_codes, " ")))) {
        std::istringstream codes(text);
        for (int code = 0; codes >> code;) all.push_back(code);
    }
    return all;
}

int exit_code_of(const std::vector<int>& exit_codes) {
    std::vector<int> failures;
    bool is_left = false;
    for (const int code : exit_codes) {
        if (code == kExitInterrupted) return kExitInterrupted;
        if (code == kExitLeftToOthers) {
            is_left = true;
        } else if (code != kExitSuccess) {
            failures.push_back(code);
        }
    }
    if (failures.empty()) return is_left ? kExitLeftToOthers : kExitSuccess;
    const bool are_alike = std::ranges::count(failures, failures.front()) == std::ssize(failures);
    return are_alike ? failures.front() : kExitSomeRunsFailed;
}

}  // namespace lockstep::pipeline
