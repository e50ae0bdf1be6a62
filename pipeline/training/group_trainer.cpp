#include "pipeline/training/group_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/lease_keeper.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/stored_work.hpp"
#include "pipeline/training/tensor_broadcast.hpp"
#include "reports/words/number_text.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "trainer/train.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostSurveyed = 1000;  // runs of a plan: more take too long to be asked of

// On ranks other than a run's first nobody listens.
class NoObserver : public trainer::TrainObserver {
public:
    void on_epoch_begin(int, int, std::int64_t) override {}
    void on_step_end(const trainer::StepRecord&) override {}
    void on_epoch_end(const trainer::EpochRecord&) override {}
    bool wants_snapshot() override { return false; }
    void on_snapshot(trainer::Snapshot) override {}
};

void record_broken(const std::exception& error, RunRecorder* recorder) noexcept {
    try {
        if (recorder != nullptr) recorder->interrupt(error.what());
    } catch (const std::exception&) {
        // The store may be what broke; the next start finds the claim without its process.
    }
}

// An epoch that could not be recorded was the end of the run, whatever came after it: its error
// takes the place of a later one.
trainer::TrainOutcome train_settled(const trainer::Training& training,
                                    const trainer::Communicator& group,
                                    trainer::TrainObserver& observer, RunRecorder* recorder) {
    const auto settle = [&] {
        if (recorder != nullptr) recorder->settle();
    };
    try {
        trainer::TrainOutcome outcome = trainer::train(training, group, observer);
        settle();
        return outcome;
    } catch (...) {
        settle();
        throw;
    }
}

}  // namespace

// What the group's rank 0 alone holds while a run is trained; empty on the others.
struct GroupTrainer::Recording {
    std::optional<TakenRun> taken;
    std::optional<storage::RunStore> store;
    std::optional<storage::RunDatabase> database;
    std::optional<LeaseKeeper> lease;
    std::unique_ptr<RunRecorder> recorder;

    bool is_taken_over() const { return lease && lease->is_taken_over(); }
};

GroupTrainer::GroupTrainer(const Queue& queue, const Job& job, const trainer::Communicator& group,
                           const RunDatasets& datasets, bool is_side_by_side,
                           ProgressSink& progress)
    : queue_(queue),
      group_(group),
      datasets_(datasets),
      setting_{queue.plan.experiment, queue.environment, group.size(),
               is_side_by_side,       job.token,         queue.provenance},
      claims_(queue, job, progress),
      progress_(progress) {}
GroupTrainer::~GroupTrainer() = default;

std::optional<int> GroupTrainer::train_next(const std::vector<std::size_t>& runs) {
    Recording recording;
    std::string place;
    do_on_root(group_, [&] {
        recording.taken = claims_.take_next(runs, setting_);
        if (recording.taken) place = std::to_string(recording.taken->run);
    });
    place = group_.broadcast_text(place);
    if (place.empty()) return std::nullopt;
    return train(queue_.plan.runs.at(std::stoul(place)), recording);
}

int GroupTrainer::train(const PlannedRun& planned, Recording& recording) {
    try {
        return train_recorded(planned, recording);
    } catch (const AgreedFailure& failure) {
        // Before the first step: no result has changed.
        if (failure.exit_code() == kExitLeftToOthers) return leave_to_others(failure);
        if (group_.is_root()) progress_.error(failure.what());
        give_back(failure.what(), planned, recording);
        return failure.exit_code();
    }
}

bool GroupTrainer::is_stop_agreed() const {
    const auto wishes = group_.gather_texts(is_stop_requested() ? "stop" : "");
    return std::any_of(wishes.begin(), wishes.end(),
                       [](const std::string& wish) { return !wish.empty(); });
}

int GroupTrainer::train_recorded(const PlannedRun& planned, Recording& recording) {
    do_on_root(group_, [&] {
        recording.store.emplace(storage::RunStore::open(queue_.store));
        recording.lease.emplace(recording.store->database(), planned.id, recording.taken->attempt,
                                lease_length(), recording.taken->lock->is_held());
        recording.database.emplace(recording.store->database(),
                                   storage::DatabaseAccess::read_write_again, kWaitBetweenRuns);
        recording.store->sweep_run_folder(planned.id);
        storage::RunSpool(recording.store->run_files(planned.id).folder, recording.taken->attempt)
            .take_in_all(*recording.database);
    });
    trainer::RunData data;
    do_on_all(group_, [&] {
        const trainer::RunConfig& config = planned.run.config;
        data = trainer::select_samples(datasets_.get(planned), config.data, config.train.seed);
    });
    RunStart start;
    do_on_root(group_, [&] { start = open(planned, data, recording); });
    start.state = broadcast_state(group_, start.state);
    start.initial_weights = broadcast_tensors(group_, start.initial_weights);
    return train_and_record(planned, data, start, recording);
}

RunStart GroupTrainer::open(const PlannedRun& planned, const trainer::RunData& data,
                            Recording& recording) {
    const storage::RunStore& store = *recording.store;
    storage::RunDatabase& database = *recording.database;
    if (recording.taken->state_before == storage::RunState::queued && !queue_.is_fresh)
        require_untrained(store, planned);
    RunStart start =
        recording.taken->action == RunAction::resume
            ? resume(store, database, planned, data.dataset->digest, queue_.environment)
            : start_anew(planned);
    ParentSearch search;
    if (start.point.is_start()) search = parent_of(planned, data, recording);
    recording.recorder =
        std::make_unique<RunRecorder>(store, database, planned, data, setting_,
                                      recording.taken->attempt, *recording.lease, progress_);
    try {
        recording.recorder->begin(start.point);
        if (search.parent) recording.recorder->extend(*search.parent);
    } catch (const std::exception& error) {
        record_broken(error, recording.recorder.get());
        throw;
    }
    if (const std::string place = place_in_plan(database); !place.empty())
        recording.recorder->tell(fmt::format("{}: {}", planned.run.config.name, place));
    for (const std::string& warning : start.warnings) recording.recorder->warn(warning);
    if (search.parent)
        start.state = std::move(search.parent->state);
    else if (!search.refusal.empty())
        recording.recorder->tell(
            fmt::format("{}: begins at epoch 1: {}", planned.run.config.name, search.refusal));
    return start;
}

// What the store has of the plan's runs at this moment.
std::vector<reports::RunWork> GroupTrainer::survey_plan(
    const storage::RunDatabase& database) const {
    const std::vector<PlannedRun>& runs = queue_.plan.runs;
    if (runs.size() < 2 || runs.size() > kMostSurveyed) return {};
    std::vector<reports::RunWork> works;
    try {
        works = works_of(database, {queue_.plan.experiment});
    } catch (const storage::StorageError&) {
        return {};  // somebody holds the database: no reason not to train
    }
    std::erase_if(works, [&](const reports::RunWork& work) {
        return std::ranges::find(runs, work.run, &PlannedRun::id) == runs.end();
    });
    return works;
}

// "run 7 of 12, about 14 min left"; "" where there is nothing to tell.
std::string GroupTrainer::place_in_plan(const storage::RunDatabase& database) const {
    const std::vector<reports::RunWork> works = survey_plan(database);
    if (works.empty()) return {};
    const auto begun = std::ranges::count_if(works, [](const reports::RunWork& work) {
        return work.is_done() || work.state == storage::RunState::running;
    });
    const auto seconds = reports::seconds_left(works);
    return fmt::format(
        "run {} of {}{}", begun, queue_.plan.runs.size(),
        seconds ? fmt::format(", about {} left", reports::rough_duration(*seconds)) : "");
}

// Before a start from the beginning: where it may go on from a finished run of fewer epochs.
ParentSearch GroupTrainer::parent_of(const PlannedRun& planned, const trainer::RunData& data,
                                     const Recording& recording) const {
    if (queue_.is_fresh) return {};
    return find_parent(*recording.store, *recording.database, planned, data.dataset->digest,
                       setting_);
}

// What was claimed and not begun is as it was before.
void GroupTrainer::give_back(const std::string& cause, const PlannedRun& planned,
                             Recording& recording) {
    if (!recording.database || (recording.recorder && recording.recorder->has_begun())) return;
    try {
        recording.database->give_back(planned.id, recording.taken->attempt,
                                      recording.taken->state_before, cause);
    } catch (const std::exception&) {
        // The next start finds the claim without its process.
    }
}

int GroupTrainer::train_and_record(const PlannedRun& planned, const trainer::RunData& data,
                                   const RunStart& start, Recording& recording) {
    RunRecorder* const recorder = recording.recorder.get();
    liveness::note(liveness::Phase::preparation);
    NoObserver nobody;
    trainer::TrainObserver& observer =
        recorder != nullptr ? static_cast<trainer::TrainObserver&>(*recorder) : nobody;
    const trainer::Training training{
        .config = planned.run.config,
        .data = data,
        .initial_weights = start.initial_weights ? &*start.initial_weights : nullptr,
        .resume_from = start.state ? &*start.state : nullptr,
        .stop_requested = [&] { return is_stop_requested() || recording.is_taken_over(); }};
    try {
        const trainer::TrainOutcome outcome = train_settled(training, group_, observer, recorder);
        return conclude(outcome, recording);
    } catch (const trainer::NonFiniteNumbers& error) {  // these three on every rank alike
        return fail(error, planned, recording);
    } catch (const trainer::WeightsError& error) {
        return fail(error, planned, recording);
    } catch (const trainer::ReplicaError& error) {
        return fail(error, planned, recording);
    } catch (const std::exception& error) {
        // On this rank alone, as far as is known: the job will end. Say why where it can be
        // read.
        record_broken(error, recorder);
        throw;
    }
}

int GroupTrainer::conclude(const trainer::TrainOutcome& outcome, Recording& recording) {
    const bool is_stopped = outcome.reason == trainer::StopReason::requested;
    const int exit_code = is_stopped ? kExitInterrupted : kExitSuccess;
    if (!recording.recorder) return exit_code;
    liveness::note(liveness::Phase::recording);
    try {
        if (is_stopped) {
            const storage::ResumePoint point{.epochs_finished = outcome.epochs_finished,
                                             .steps_of_next_epoch = outcome.steps_of_next_epoch};
            recording.recorder->interrupt(
                fmt::format("stopped {} {}", stop_reason(), describe(point)));
        } else {
            recording.recorder->finish(outcome);
        }
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::taken_over) throw;
        return leave_to_others(error);
    }
    return exit_code;
}

int GroupTrainer::fail(const std::exception& error, const PlannedRun& planned,
                       Recording& recording) {
    const int exit_code = failure_of(std::current_exception()).exit_code();
    if (!recording.recorder) return exit_code;
    try {
        recording.recorder->fail(error.what());
    } catch (const storage::StorageError& overtaken) {
        if (overtaken.kind() != storage::StorageError::Kind::taken_over) throw;
        return leave_to_others(overtaken);
    }
    progress_.error(fmt::format("run {}: {}", planned.id, error.what()));
    return exit_code;
}

// No failure of the run, and not of this job.
int GroupTrainer::leave_to_others(const std::exception& error) {
    if (group_.is_root()) progress_.message(fmt::format("{}; it is left to it", error.what()));
    return kExitLeftToOthers;
}

}  // namespace lockstep::pipeline
