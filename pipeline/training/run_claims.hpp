#pragma once

// Which of a plan's runs this job may train now: the store may be shared with other jobs, whose
// claims stand in the database. Lives on the ranks that lead a group.

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/training/run_lock.hpp"
#include "pipeline/training/run_queue.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// So long a training waits, between its runs, for other users of the database; then it ends, with
// 74. What it has trained is safe.
inline constexpr std::chrono::milliseconds kWaitBetweenRuns{120000};
inline constexpr std::chrono::milliseconds kWaitAfterStop{2000};  // instead, once it is stopped

// By what a job tells its own attempts from those before it and beside it. Equal on all ranks.
struct Job {
    std::string token;                 // of this start of its ranks (job_attempt.hpp)
    std::vector<int> attempts_before;  // of each run of the plan, when the job began
    std::map<std::size_t, int> dead;   // attempts that were watched until their leases had run out
};

// A run that this process holds.
struct TakenRun {
    std::size_t run = 0;  // its place in the plan
    int attempt = 0;
    RunAction action = RunAction::start;
    storage::RunState state_before = storage::RunState::queued;
    std::optional<RunLock> lock{};
};

// A run that is not finished, and that this start of the ranks did not train.
struct LeftRun {
    std::size_t run = 0;
    storage::RunState state = storage::RunState::queued;
    bool is_own = false;      // an earlier start of this job had it
    std::string holder{};     // "job 12 on node7 (process 4711)"; "" if nobody trains it
    bool is_removed = false;  // from the store, since it was put into the queue
};

// All references must outlive it. Functions throw StorageError, Failure.
class RunClaims {
public:
    RunClaims(const Queue& queue, const Job& job, ProgressSink& progress);

    // Takes the first of `runs` that needs training and that nobody holds. Each run has one turn a
    // start of the ranks. In one transaction: of several who ask at the same time one gets it.
    std::optional<TakenRun> take_next(const std::vector<std::size_t>& runs,
                                      const RunSetting& setting);

    // Looks again and again at those of `runs` that others hold, until of each it is known whether
    // its holder lives: a heartbeat was seen, or none for as long as a lease lasts. One that lives
    // is given a few seconds to end, as the ranks of a job that was just killed do. Returns the
    // dead ones, with their attempts; no more than are known where a stop is asked for.
    std::map<std::size_t, int> watch(const std::vector<std::size_t>& runs);

    // Those of `runs` that are not finished, and whose newest attempt is none of this start of the
    // ranks. Waits so long for other users of the database.
    std::vector<LeftRun> left(const std::vector<std::size_t>& runs,
                              std::chrono::milliseconds wait) const;

private:
    using Clock = std::chrono::steady_clock;
    enum class Standing { done, free, held, not_known };
    struct Sighting {
        int attempt = 0;
        std::int64_t heartbeats = 0;
        Clock::time_point since;
        bool has_moved = false;
    };
    Standing standing_of(std::size_t run, storage::RunState state,
                         const storage::AttemptRow* newest);
    Standing judge(std::size_t run, const storage::AttemptRow& newest);
    RunAction action_of(std::size_t run, storage::RunState state,
                        const storage::AttemptRow* newest) const;
    std::optional<RunLock> lock(std::size_t run);
    bool is_locked(std::size_t run) const;
    std::optional<storage::AttemptRow> newest_attempt(const storage::RunDatabase& database,
                                                      std::size_t run) const;

    const Queue& queue_;
    const Job& job_;
    ProgressSink& progress_;
    std::map<std::size_t, Sighting> sightings_;
    std::set<std::size_t> locked_;  // by a process whose lease is over, yet which is there
    bool is_unprotected_told_ = false;
};

}  // namespace lockstep::pipeline
