#include "pipeline/training/store_survey.hpp"

#include <fmt/format.h>

#include <sstream>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/job_attempt.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/training/stored_runs.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunStore;
using trainer::Communicator;

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

// Told before the first step as well as after the last one. No reason not to train: `lockstep
// report` can make it later.
void tell_lost_report(const RunStore& store, const Queue& queue, ProgressSink& progress) {
    try {
        store.require_place_of_report(queue.plan.experiment);
    } catch (const storage::StorageError& error) {
        progress.error(fmt::format("warning: no report will be written: {}", error.what()));
    }
}

}  // namespace

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

void register_runs(const Queue& queue, const std::vector<std::size_t>& runs,
                   const RunDatasets& datasets, ProgressSink& progress) {
    const RunStore store = RunStore::open(queue.store);
    tell_lost_report(store, queue, progress);
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

}  // namespace lockstep::pipeline
