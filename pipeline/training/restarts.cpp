#include "pipeline/training/restarts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/job_attempt.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunState;

constexpr seconds kLongestPause{60};
constexpr int kFruitlessRestarts = 2;

fs::path database_of(const fs::path& store) { return storage::RunStore::open(store).database(); }

// Equal as long as nothing has got further: which runs are at an end, and everyone's checkpoint.
std::string state_of_runs(const fs::path& store) {
    std::string text;
    try {
        if (!fs::exists(database_of(store))) return text;
        const RunDatabase database(database_of(store), DatabaseAccess::read_only);
        for (const storage::RunRow& row : database.runs()) {
            const auto checkpoint = database.artifact(row.run, storage::kCheckpointArtifact);
            const bool is_ended = row.state == RunState::finished || row.state == RunState::failed;
            text +=
                fmt::format("{} {} {}\n", row.run, is_ended, checkpoint ? checkpoint->sha256 : "");
        }
    } catch (const storage::StorageError&) {
        // The ranks will tell, if they cannot use it either.
    }
    return text;
}

// What the ranks had no time to write down. Where it fails the next attempt writes less: that this
// one ended without a word.
void record_cause(const fs::path& store, const std::string& cause) {
    const std::string token = new_token();  // of the start that has just ended
    try {
        RunDatabase database(database_of(store), DatabaseAccess::read_write_again);
        for (const storage::RunRow& row : database.runs()) {
            if (row.state != RunState::running) continue;
            const auto attempts = database.attempts(row.run);
            if (attempts.empty() || attempts.back().outcome != "running" ||
                attempts.back().job_token != token)
                continue;
            storage::AttemptEnd end;
            end.state = RunState::interrupted;
            end.cause = cause;
            end.utc = storage::utc_now();
            database.end_attempt(row.run, attempts.back().attempt, end);
        }
    } catch (const storage::StorageError&) {
    }
}

class Restarts {
public:
    Restarts(const Launch& job, const fs::path& store, int max_restarts, ProgressDisplay& progress)
        : job_(job),
          store_(store),
          max_restarts_(max_restarts),
          progress_(progress),
          pulses_(PulseFile::create(job.ranks)) {}

    int run() {
        const std::string began = storage::utc_now();
        const std::string job = new_job();
        for (int attempt = 1;; ++attempt) {
            set_job_attempt({.number = attempt, .job_utc = began, .job = job});
            const std::string before = state_of_runs(store_);
            LaunchOutcome outcome = launch(job_, progress_, pulses_ ? &*pulses_ : nullptr);
            const std::string& cause = outcome.is_lost() ? outcome.cause : outcome.words.error;
            if (!cause.empty()) record_cause(store_, cause);
            if (!outcome.is_lost()) return conclude(outcome, job_, progress_);
            if (attempt > 1) fruitless_ = state_of_runs(store_) == before ? fruitless_ + 1 : 0;
            // A host that is lost and stays away is a loss, not a job that cannot be started.
            if (outcome.words.are_ready)
                loss_ = outcome.is_stall ? kExitInterrupted : outcome.exit_code;
            outcome.exit_code = loss_.value_or(outcome.exit_code);
            if (!is_worth_another(attempt)) return conclude(outcome, job_, progress_);
            if (!pause_before(attempt + 1, outcome)) return kExitInterrupted;
        }
    }

private:
    bool is_worth_another(int attempt) {
        if (fruitless_ >= kFruitlessRestarts) {
            progress_.error("two restarts brought no checkpoint further: no more of them");
            return false;
        }
        return attempt <= max_restarts_;
    }

    bool pause_before(int attempt, const LaunchOutcome& outcome) {
        const seconds pause = std::min(kLongestPause, seconds(1LL << std::min(attempt - 2, 6)));
        progress_.finish_line();
        progress_.error(fmt::format("warning: {}; the ranks start again in {} s (restart {} of {})",
                                    outcome.cause, pause.count(), attempt - 1, max_restarts_));
        if (wait_before_restart(pause)) return true;
        progress_.error("stopped before the ranks started again; the same command goes on");
        return false;
    }

    const Launch& job_;
    const fs::path& store_;
    int max_restarts_;
    ProgressDisplay& progress_;
    std::optional<PulseFile> pulses_;
    int fruitless_ = 0;        // restarts on end
    std::optional<int> loss_;  // exit code of the last one of ranks that had started
};

}  // namespace

int train_with_restarts(const Launch& job, const fs::path& store, int max_restarts,
                        ProgressDisplay& progress) {
    return Restarts(job, store, max_restarts, progress).run();
}

}  // namespace lockstep::pipeline
