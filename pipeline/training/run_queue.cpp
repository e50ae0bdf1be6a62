#include "pipeline/training/run_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <sstream>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/job_attempt.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/training/group_trainer.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/shared_store.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunStore;
using trainer::Communicator;

// ---- before training -------------------------------------------------------------------------

char letter_of(RunAction action) { return static_cast<char>('0' + static_cast<int>(action)); }

// By an earlier start of these ranks: what was to be trained anew has been begun anew already.
bool is_begun_by_this_job(const RunDatabase& database, const std::string& run) {
    const JobAttempt job = job_attempt();
    if (job.number <= 1) return false;
    const auto attempts = database.attempts(run);
    return !attempts.empty() && attempts.back().started_utc >= job.job_utc;
}

RunAction action_for_begun(storage::RunState state) {
    switch (state) {
        case storage::RunState::finished:
            return RunAction::skip_finished;
        case storage::RunState::failed:
            return RunAction::skip_failed;
        default:
            return RunAction::resume;
    }
}

// Asks the database of each run; rank 0's answer on every rank.
std::vector<RunAction> agree_on_actions(const Queue& queue, const Communicator& world) {
    std::string letters;
    do_on_root(world, [&] {
        const RunStore store = RunStore::create(queue.store);
        const RunDatabase database(store.database(), DatabaseAccess::read_write);
        for (const PlannedRun& planned : queue.plan.runs) {
            const auto row = database.find_run(planned.id);
            const bool is_begun = row && is_begun_by_this_job(database, planned.id);
            letters += letter_of(is_begun ? action_for_begun(row->state)
                                          : action_for(row ? &row->state : nullptr, queue));
        }
    });
    std::vector<RunAction> actions;
    for (const char letter : world.broadcast_text(letters)) {
        actions.push_back(static_cast<RunAction>(letter - '0'));
    }
    return actions;
}

// So that `ls` shows what will come; with its data, by which a stored run of the same settings is
// told from it (stored_runs.hpp).
void register_runs(const Queue& queue, const std::vector<std::size_t>& runs,
                   const RunDatasets& datasets) {
    const RunStore store = RunStore::create(queue.store);
    RunDatabase database(store.database(), DatabaseAccess::read_write);
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

// What became of the runs this rank led: 0, kExitInterrupted, or why one failed.
std::vector<int> train_phase(const Queue& queue, const Phase& phase,
                             const std::vector<RunAction>& actions, const RunDatasets& datasets,
                             const Communicator& world, ProgressSink& progress) {
    const int own = world.rank() / phase.ranks_per_run;
    const auto groups = static_cast<int>(phase.groups.size());
    const Communicator group = world.split(std::min(own, groups));
    std::vector<int> exit_codes;
    if (own >= groups) return exit_codes;  // a rank left over
    GroupTrainer trainer(queue, group, datasets, groups > 1, progress);
    for (const std::size_t run : phase.groups[static_cast<std::size_t>(own)]) {
        const int exit_code = trainer.is_stop_agreed()
                                  ? kExitInterrupted
                                  : trainer.train(queue.plan.runs[run], actions[run]);
        if (group.is_root()) exit_codes.push_back(exit_code);
    }
    return exit_codes;
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
    for (const int code : exit_codes) {
        if (code == kExitInterrupted) return kExitInterrupted;
        if (code != kExitSuccess) failures.push_back(code);
    }
    if (failures.empty()) return kExitSuccess;
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

RunAction action_for(const storage::RunState* state, const Queue& queue) {
    if (queue.is_fresh || state == nullptr) return RunAction::start;
    switch (*state) {
        case storage::RunState::finished:
            return RunAction::skip_finished;
        case storage::RunState::failed:
            return queue.retries_failed ? RunAction::start : RunAction::skip_failed;
        case storage::RunState::queued:
            return RunAction::start;
        case storage::RunState::running:  // by a process that is gone: its lock tells
        case storage::RunState::interrupted:
            break;
    }
    return RunAction::resume;
}

int train_all(const Queue& queue, const Communicator& world, ProgressSink& progress) {
    do_on_all(world, [&] { check_ranks(queue.plan, world.size()); });
    const std::vector<RunAction> actions = agree_on_actions(queue, world);
    NoProgress nobody;
    const SortedRuns sorted = sort_out(queue, actions, world.is_root() ? progress : nobody);
    std::vector<int> exit_codes;  // of the runs this rank led
    if (world.is_root()) exit_codes = sorted.exit_codes;
    if (!sorted.pending.empty()) {
        for (const std::string& warning : data_warnings(queue.plan, sorted.pending)) {
            if (world.is_root()) progress.error("warning: " + warning);
        }
        const RunDatasets datasets(queue.plan, sorted.pending, world);
        do_on_root(world, [&] { register_runs(queue, sorted.pending, datasets); });
        const std::vector<Phase> all = phases(queue.plan, sorted.pending, world.size());
        if (std::ranges::any_of(all, [](const Phase& phase) { return phase.groups.size() > 1; }))
            require_shared_store(queue.store, world);
        for (const Phase& phase : all) {
            const auto trained = train_phase(queue, phase, actions, datasets, world, progress);
            exit_codes.insert(exit_codes.end(), trained.begin(), trained.end());
            liveness::note(liveness::Phase::idle);
        }
    }
    return exit_code_of(gathered(world, exit_codes), queue.plan.runs.size());
}

}  // namespace lockstep::pipeline
