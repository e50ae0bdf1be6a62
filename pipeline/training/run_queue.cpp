#include "pipeline/training/run_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/job_attempt.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/training/group_trainer.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/stored_runs.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunStore;
using trainer::Communicator;

// ---- before training -------------------------------------------------------------------------

struct Survey {
    std::vector<RunAction> actions;  // what each run of the plan needs, as it looks now
    Job job;
};

// The newest attempt from before this job, 0 if there is none. What an earlier start of these ranks
// has begun anew, or another job since, is not begun anew once more. An own attempt is known
// whatever the clocks say.
int attempts_before_job(const std::vector<storage::AttemptRow>& attempts,
                        const std::string& token) {
    const JobAttempt job = job_attempt();
    int newest = 0;
    for (const storage::AttemptRow& each : attempts) {
        if (are_of_one_job(each.job_token, token)) break;
        if (job.number <= 1 || each.started_utc < job.job_utc) newest = each.attempt;
    }
    return newest;
}

// What the store has already is in this experiment's list, too, whoever trained it.
void list_stored_runs(const Queue& queue, RunDatabase& database) {
    std::vector<std::string> ids;
    for (const PlannedRun& planned : queue.plan.runs) {
        if (database.find_run(planned.id)) ids.push_back(planned.id);
    }
    if (ids.empty()) return;
    storage::ExperimentRow experiment = queue.experiment;
    experiment.created_utc = storage::utc_now();
    database.put_experiment(experiment);
    database.list_runs(queue.plan.experiment, ids);
}

// Asks the database of each run; rank 0's answer on every rank.
Survey survey_store(const Queue& queue, const Communicator& world, ProgressSink& progress) {
    std::string lines;
    PlannedData data;
    do_on_root(world, [&] {
        const RunStore store = RunStore::create(queue.store);
        RunDatabase database(store.database(), DatabaseAccess::read_write);
        list_stored_runs(queue, database);
        const std::string token = new_token();
        lines = token;
        for (const PlannedRun& planned : queue.plan.runs) {
            const auto row = database.find_run(planned.id);
            const auto attempts = database.attempts(planned.id);
            const int before = attempts_before_job(attempts, token);
            const bool is_begun = !attempts.empty() && attempts.back().attempt > before;
            const RunAction action =
                action_for(row ? &row->state : nullptr, queue.is_fresh && !is_begun,
                           queue.retries_failed && !is_begun);
            if (action == RunAction::skip_finished && !row->data_digest.empty() &&
                data.are_others(planned, row->data_digest)) {
                progress.error(fmt::format(
                    "warning: {} was trained on other data than those there now (SHA-256 {}...): "
                    "its figures are of those; --fresh trains it anew",
                    planned.run.config.name, row->data_digest.substr(0, 12)));
            }
            lines += fmt::format("\n{} {}", static_cast<int>(action), before);
        }
    });
    std::istringstream text(world.broadcast_text(lines));
    Survey survey;
    text >> survey.job.token;
    for (int action = 0, attempts = 0; text >> action >> attempts;) {
        survey.actions.push_back(static_cast<RunAction>(action));
        survey.job.attempts_before.push_back(attempts);
    }
    return survey;
}

// So that `ls` shows what will come; with its data, by which a stored run of the same settings is
// told from it (stored_runs.hpp).
void register_runs(const Queue& queue, const std::vector<std::size_t>& runs,
                   const RunDatasets& datasets) {
    const RunStore store = RunStore::open(queue.store);
    RunDatabase database(store.database(), DatabaseAccess::read_write_again);
    storage::ExperimentRow experiment = queue.experiment;
    experiment.created_utc = storage::utc_now();
    database.put_experiment(experiment);
    for (const std::size_t run : runs) {
        const PlannedRun& planned = queue.plan.runs[run];
        if (database.find_run(planned.id)) continue;
        storage::RunRow row = run_row(planned, queue.plan.experiment, nullptr);
        row.data_digest = datasets.digest(planned);
        row.created_utc = experiment.created_utc;
        database.put_run(row);
    }
}

// ---- the phases ------------------------------------------------------------------------------

bool holds(const fs::path& file, std::string_view text) {
    try {
        const storage::Bytes bytes = storage::read_file(file);
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == text;
    } catch (const storage::StorageError&) {
        return false;
    }
}

// Removed, where it was made, once all have looked.
struct TokenFile {
    fs::path path;
    bool is_own = false;
    ~TokenFile() {
        std::error_code ignored;
        if (is_own) fs::remove(path, ignored);
    }
};

// Whoever leads a group writes into the store: refuses hosts that see another folder there.
void check_shared_store(const Queue& queue, const Job& job, const Phase& phase,
                        const Communicator& world) {
    if (phase.groups == 1) return;
    // Swept like any file in the making, were rank 0 killed here.
    const fs::path own = storage::temporary_name(queue.store / "shared");
    do_on_root(world, [&] { storage::replace_file(own, job.token); });
    const TokenFile file{queue.store / world.broadcast_text(own.filename().string()),
                         world.is_root()};
    do_on_all(world, [&] {
        const bool is_leader = world.rank() % phase.ranks_per_run == 0;
        if (!is_leader || holds(file.path, job.token)) return;
        throw Failure(
            kExitMissingInput,
            fmt::format("rank {} on {} does not see the store {} of rank 0; it must lie in "
                        "a folder that all hosts share",
                        world.rank(), storage::host_name(), queue.store.string()));
    });
}

// What became of the runs this rank led: 0, kExitInterrupted, or why one failed.
std::vector<int> train_phase(const Queue& queue, const Job& job, const Phase& phase,
                             const RunDatasets& datasets, const Communicator& world,
                             ProgressSink& progress) {
    check_shared_store(queue, job, phase, world);
    const int own = world.rank() / phase.ranks_per_run;
    const Communicator group = world.split(std::min(own, phase.groups));
    std::vector<int> exit_codes;
    if (own >= phase.groups) return exit_codes;  // a rank left over
    GroupTrainer trainer(queue, job, group, datasets, phase.groups > 1, progress);
    while (!trainer.is_stop_agreed()) {
        const std::optional<int> exit_code = trainer.train_next(phase.runs);
        if (!exit_code) break;
        if (group.is_root()) exit_codes.push_back(*exit_code);
    }
    return exit_codes;
}

// ---- other jobs on the same store --------------------------------------------------------------

// Once nothing is left to take: the attempts of others that turn out to be dead, on every rank.
std::map<std::size_t, int> dead_attempts(const std::vector<std::size_t>& runs, RunClaims& claims,
                                         const Communicator& world) {
    std::string lines;
    do_on_root(world, [&] {
        for (const auto& [run, attempt] : claims.watch(runs)) {
            lines += fmt::format("{} {}\n", run, attempt);
        }
    });
    std::istringstream text(world.broadcast_text(lines));
    std::map<std::size_t, int> dead;
    std::size_t run = 0;
    for (int attempt = 0; text >> run >> attempt;) dead[run] = attempt;
    return dead;
}

// Of the runs that this start of the ranks did not train, and that are not finished; told.
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

// After a stop nobody waits long for a database that another program holds: it had little to tell.
std::vector<LeftRun> left_runs(const RunClaims& claims, const std::vector<std::size_t>& runs,
                               bool is_stopped) {
    try {
        return claims.left(runs, is_stopped ? kWaitAfterStop : kWaitBetweenRuns);
    } catch (const storage::StorageError&) {
        if (!is_stopped) throw;
        return {LeftRun{.run = runs.front(), .state = storage::RunState::interrupted}};
    }
}

// Every rank's exit codes, on every rank.
std::vector<int> gathered(const Communicator& world, const std::vector<int>& exit_codes) {
    std::vector<int> all;
    for (const std::string& text :
         world.gather_texts(fmt::format("{}", fmt::join(exit_codes, " ")))) {
        std::istringstream codes(text);
        for (int code = 0; codes >> code;) all.push_back(code);
    }
    return all;
}

// Of the whole experiment: `exit_codes` are those of its `runs` runs, but for some that are
// finished.
int exit_code_of(const std::vector<int>& exit_codes, std::size_t runs) {
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
    const bool are_alike = std::count(failures.begin(), failures.end(), failures.front()) ==
                           static_cast<std::ptrdiff_t>(runs);
    return are_alike ? failures.front() : kExitSomeRunsFailed;
}

struct SortedRuns {
    std::vector<std::size_t> pending;  // places in the plan
    std::vector<int> exit_codes;       // of those that failed before
};

// Tells what is skipped.
SortedRuns sort_out(const Queue& queue, const std::vector<RunAction>& actions,
                    ProgressSink& progress) {
    SortedRuns sorted;
    for (std::size_t run = 0; run < actions.size(); ++run) {
        const std::string& name = queue.plan.runs[run].run.config.name;
        if (actions[run] == RunAction::skip_finished) {
            progress.message(name + ": finished already");
        } else if (actions[run] == RunAction::skip_failed) {
            progress.error(name + ": failed before; --retry-failed retries");
            sorted.exit_codes.push_back(kExitSomeRunsFailed);
        } else {
            sorted.pending.push_back(run);
        }
    }
    return sorted;
}

}  // namespace

RunAction action_for(const storage::RunState* state, bool is_fresh, bool retries_failed) {
    if (is_fresh || state == nullptr) return RunAction::start;
    switch (*state) {
        case storage::RunState::finished:
            return RunAction::skip_finished;
        case storage::RunState::failed:
            return retries_failed ? RunAction::start : RunAction::skip_failed;
        case storage::RunState::queued:
            return RunAction::start;
        case storage::RunState::running:  // by whom is asked when it is claimed
        case storage::RunState::interrupted:
            break;
    }
    return RunAction::resume;
}

int train_all(const Queue& queue, const Communicator& world, ProgressSink& progress) {
    do_on_all(world, [&] { check_ranks(queue.plan, world.size()); });
    NoProgress nobody;
    ProgressSink& told = world.is_root() ? progress : nobody;
    Survey survey = survey_store(queue, world, told);
    const SortedRuns sorted = sort_out(queue, survey.actions, told);
    std::vector<int> exit_codes;  // of the runs this rank led
    if (world.is_root()) exit_codes = sorted.exit_codes;
    if (sorted.pending.empty())
        return exit_code_of(gathered(world, exit_codes), queue.plan.runs.size());

    for (const std::string& warning : data_warnings(queue.plan, sorted.pending)) {
        told.error("warning: " + warning);
    }
    const RunDatasets datasets(queue.plan, sorted.pending, world);
    do_on_root(world, [&] { register_runs(queue, sorted.pending, datasets); });
    Job& job = survey.job;
    RunClaims claims(queue, job, told);
    if (is_time_up())
        told.error("its time limit is over before the first step: it needs more time");
    bool is_stopped = false;
    for (std::vector<std::size_t> runs = sorted.pending; !runs.empty();) {
        std::size_t trained = 0;
        for (const Phase& phase : phases(queue.plan, runs, world.size())) {
            const auto codes = train_phase(queue, job, phase, datasets, world, progress);
            liveness::note(liveness::Phase::idle);
            exit_codes.insert(exit_codes.end(), codes.begin(), codes.end());
            world.sleep_until_all_come();  // groups that are free leave their cores to the others
            trained += gathered(world, codes).size();
        }
        is_stopped = !world.all_agree(!is_stop_requested());
        // Those dead by their lease may be alive by their lock.
        if (is_stopped || (trained == 0 && !job.dead.empty())) break;
        job.dead = dead_attempts(sorted.pending, claims, world);
        runs.clear();
        for (const auto& [run, attempt] : job.dead) runs.push_back(run);
    }
    is_stopped = is_stopped || !world.all_agree(!is_stop_requested());  // while others were watched
    do_on_root(world, [&] {
        const auto codes =
            codes_of_left(queue, left_runs(claims, sorted.pending, is_stopped), is_stopped, told);
        exit_codes.insert(exit_codes.end(), codes.begin(), codes.end());
    });
    return exit_code_of(gathered(world, exit_codes), queue.plan.runs.size());
}

}  // namespace lockstep::pipeline
