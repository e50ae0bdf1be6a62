#include "pipeline/training/run_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "pipeline/ranks/job_attempt.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

using storage::AttemptRow;
using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunState;
using storage::RunStore;

constexpr std::chrono::milliseconds kLookInterval{500};
// Ranks whose `lockstep run` was killed stop in order: so long who holds a run may be about to end.
constexpr std::chrono::seconds kMostOfStop{5};
// A lease that ran out may be renewed yet: by a holder that could not reach the database for a
// while, or whose clock is behind. So long a heartbeat is waited for: four come in a lease, and two
// on end may fail.
std::chrono::milliseconds grace_of(std::chrono::milliseconds lease) { return lease * 2 / 3; }

std::string holder_text(const AttemptRow& attempt) {
    const std::string job = attempt.job_id.empty() ? "" : fmt::format("job {} ", attempt.job_id);
    return fmt::format("{}on {} (process {})", job, attempt.host, attempt.pid);
}

}  // namespace

RunClaims::RunClaims(const Queue& queue, const Job& job, ProgressSink& progress)
    : queue_(queue), job_(job), progress_(progress) {}

std::optional<TakenRun> RunClaims::take_next(const std::vector<std::size_t>& runs,
                                             const RunSetting& setting) {
    std::vector<std::string> ids;
    for (const std::size_t run : runs) ids.push_back(queue_.plan.runs[run].id);
    TakenRun taken;
    const auto may_claim = [&](std::size_t candidate, RunState state, const AttemptRow* newest) {
        const std::size_t run = runs[candidate];
        if (standing_of(run, state, newest) != Standing::free) return false;
        taken.lock = lock(run);
        taken.action = action_of(run, state, newest);
        return taken.lock.has_value();
    };
    RunDatabase database(RunStore::open(queue_.store).database(), DatabaseAccess::read_write_again,
                         kWaitBetweenRuns);
    const auto claim = database.claim_next_run(ids, attempt_row(setting), may_claim);
    if (!claim) return std::nullopt;
    taken.run = runs[claim->candidate];
    taken.attempt = claim->attempt;
    taken.state_before = claim->state_before;
    return taken;
}

std::map<std::size_t, int> RunClaims::watch(const std::vector<std::size_t>& runs) {
    std::map<std::size_t, int> dead;
    const auto until = Clock::now() + kMostOfStop;
    for (bool is_known = false; !is_known && !is_stop_requested();) {
        is_known = true;
        dead.clear();
        const RunDatabase database(RunStore::open(queue_.store).database(),
                                   DatabaseAccess::read_only, kWaitBetweenRuns);
        for (const std::size_t run : runs) {
            const auto row = database.find_run(queue_.plan.runs[run].id);
            const auto newest = newest_attempt(database, run);
            if (!row || !newest) continue;
            const Standing standing = standing_of(run, row->state, &*newest);
            const bool is_held =
                standing == Standing::held || (standing == Standing::free && is_locked(run));
            if (standing == Standing::not_known || (is_held && Clock::now() < until))
                is_known = false;
            if (standing == Standing::free) dead[run] = newest->attempt;
        }
        if (!is_known) std::this_thread::sleep_for(kLookInterval);
    }
    return dead;
}

std::vector<LeftRun> RunClaims::left(const std::vector<std::size_t>& runs,
                                     std::chrono::milliseconds wait) const {
    const RunDatabase database(RunStore::open(queue_.store).database(), DatabaseAccess::read_only,
                               wait);
    std::vector<LeftRun> left;
    for (const std::size_t run : runs) {
        const auto row = database.find_run(queue_.plan.runs[run].id);
        if (row && row->state == RunState::finished) continue;
        const auto newest = newest_attempt(database, run);
        if (newest && newest->job_token == job_.token) continue;
        const bool is_own = newest && are_of_one_job(newest->job_token, job_.token);
        const bool is_held = newest && !is_own && newest->outcome == "running" &&
                             fate_of(*newest) != ProcessFate::gone;
        left.push_back({run, row ? row->state : RunState::queued, is_own,
                        is_held ? holder_text(*newest) : std::string(), !row});
    }
    return left;
}

RunClaims::Standing RunClaims::standing_of(std::size_t run, RunState state,
                                           const AttemptRow* newest) {
    if (newest != nullptr && newest->job_token == job_.token) return Standing::done;
    const RunAction action = action_of(run, state, newest);
    if (action == RunAction::skip_finished || action == RunAction::skip_failed) {
        return Standing::done;
    }
    if (locked_.count(run) != 0) return Standing::held;
    if (newest == nullptr || newest->outcome != "running") return Standing::free;
    return judge(run, *newest);
}

// By process where that can be told, else by heartbeats: those of the holder's clock against ours,
// and, as clocks may be wrong, by our own from when we looked first.
RunClaims::Standing RunClaims::judge(std::size_t run, const AttemptRow& newest) {
    const auto known = job_.dead.find(run);
    if (known != job_.dead.end() && known->second == newest.attempt) return Standing::free;
    const ProcessFate fate = fate_of(newest);
    if (fate == ProcessFate::gone) return Standing::free;
    const bool is_out = is_lease_out(newest);
    if (fate == ProcessFate::lives && !is_out) return Standing::held;
    const auto now = Clock::now();
    Sighting& seen = sightings_[run];
    if (seen.attempt != newest.attempt || seen.heartbeats != newest.heartbeats) {
        seen = {newest.attempt, newest.heartbeats, now, seen.attempt == newest.attempt};
    }
    const std::chrono::milliseconds lease(1000LL * newest.lease_seconds);
    if (now - seen.since >= (is_out ? grace_of(lease) : lease)) return Standing::free;
    return seen.has_moved ? Standing::held : Standing::not_known;
}

// --fresh and --retry-failed ask for what was there when the job began, not for what another job
// with the same wish has begun since.
RunAction RunClaims::action_of(std::size_t run, RunState state, const AttemptRow* newest) const {
    const bool is_since = newest != nullptr && newest->attempt > job_.attempts_before.at(run);
    return is_since ? action_for(&state, false, false)
                    : action_for(&state, queue_.is_fresh, queue_.retries_failed);
}

std::optional<RunLock> RunClaims::lock(std::size_t run) {
    const auto files = RunStore::open(queue_.store).make_run_folder(queue_.plan.runs[run].id);
    std::optional<RunLock> lock = RunLock::take(files.folder);
    if (!lock) locked_.insert(run);
    if (lock && !lock->is_held() && !std::exchange(is_unprotected_told_, true)) {
        progress_.error(fmt::format(
            "warning: the file system of {} offers no locks; the claims in the database alone keep "
            "two jobs from training one run",
            queue_.store.string()));
    }
    return lock;
}

bool RunClaims::is_locked(std::size_t run) const {
    const auto files = RunStore::open(queue_.store).run_files(queue_.plan.runs[run].id);
    return holder_of(files.folder) == RunHolder::somebody;
}

std::optional<AttemptRow> RunClaims::newest_attempt(const RunDatabase& database,
                                                    std::size_t run) const {
    std::vector<AttemptRow> all = database.attempts(queue_.plan.runs[run].id);
    if (all.empty()) return std::nullopt;
    return std::move(all.back());
}

}  // namespace lockstep::pipeline
