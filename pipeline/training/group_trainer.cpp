#include "pipeline/training/group_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/training/run_lock.hpp"
#include "pipeline/training/tensor_broadcast.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "trainer/train.hpp"

namespace lockstep::pipeline {
namespace {

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
        // The store may be what broke; the next start finds the run `running` without a lock.
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
    std::optional<storage::RunStore> store;
    std::optional<RunLock> lock;
    std::optional<storage::RunDatabase> database;
    std::unique_ptr<RunRecorder> recorder;
};

GroupTrainer::GroupTrainer(const Queue& queue, const trainer::Communicator& group,
                           const RunDatasets& datasets, bool is_side_by_side,
                           ProgressSink& progress)
    : queue_(queue),
      group_(group),
      datasets_(datasets),
      setting_{queue.plan.experiment, queue.environment, group.size(), is_side_by_side},
      progress_(progress) {}

int GroupTrainer::train(const PlannedRun& planned, RunAction action) {
    Recording recording;
    try {
        return train_recorded(planned, action, recording);
    } catch (const AgreedFailure& failure) {
        // Before the first step: no result has changed.
        if (group_.is_root()) progress_.error(failure.what());
        return failure.exit_code();
    }
}

bool GroupTrainer::is_stop_agreed() const {
    const auto wishes = group_.gather_texts(is_stop_requested() ? "stop" : "");
    return std::any_of(wishes.begin(), wishes.end(),
                       [](const std::string& wish) { return !wish.empty(); });
}

int GroupTrainer::train_recorded(const PlannedRun& planned, RunAction action,
                                 Recording& recording) {
    trainer::RunData data;
    do_on_all(group_, [&] {
        const trainer::RunConfig& config = planned.run.config;
        data = trainer::select_samples(datasets_.get(planned), config.data, config.train.seed);
    });
    RunStart start;
    do_on_root(group_, [&] { start = open(planned, action, data, recording); });
    start.state = broadcast_state(group_, start.state);
    start.initial_weights = broadcast_tensors(group_, start.initial_weights);
    return train_and_record(planned, data, start, recording.recorder.get());
}

RunStart GroupTrainer::open(const PlannedRun& planned, RunAction action,
                            const trainer::RunData& data, Recording& recording) {
    const storage::RunStore& store = recording.store.emplace(storage::RunStore::open(queue_.store));
    recording.lock.emplace(store.make_run_folder(planned.id).folder);
    storage::RunDatabase& database =
        recording.database.emplace(store.database(), storage::DatabaseAccess::read_write);
    RunStart start = action == RunAction::resume ? resume(store, database, planned,
                                                          data.dataset->digest, queue_.environment)
                                                 : start_anew(planned);
    recording.recorder =
        std::make_unique<RunRecorder>(store, database, planned, data, setting_, progress_);
    try {
        recording.recorder->begin(start.point);
    } catch (const std::exception& error) {
        record_broken(error, recording.recorder.get());
        throw;
    }
    for (const std::string& warning : start.warnings) recording.recorder->warn(warning);
    return start;
}

int GroupTrainer::train_and_record(const PlannedRun& planned, const trainer::RunData& data,
                                   const RunStart& start, RunRecorder* recorder) {
    liveness::note(liveness::Phase::preparation);
    NoObserver nobody;
    trainer::TrainObserver& observer =
        recorder != nullptr ? static_cast<trainer::TrainObserver&>(*recorder) : nobody;
    const trainer::Training training{
        .config = planned.run.config,
        .data = data,
        .initial_weights = start.initial_weights ? &*start.initial_weights : nullptr,
        .resume_from = start.state ? &*start.state : nullptr,
        .stop_requested = is_stop_requested};
    try {
        const trainer::TrainOutcome outcome = train_settled(training, group_, observer, recorder);
        return conclude(outcome, recorder);
    } catch (const trainer::NonFiniteNumbers& error) {  // these three on every rank alike
        return fail(error, planned, recorder);
    } catch (const trainer::WeightsError& error) {
        return fail(error, planned, recorder);
    } catch (const trainer::ReplicaError& error) {
        return fail(error, planned, recorder);
    } catch (const std::exception& error) {
        // On this rank alone, as far as is known: the job will end. Say why where it can be
        // read.
        record_broken(error, recorder);
        throw;
    }
}

int GroupTrainer::conclude(const trainer::TrainOutcome& outcome, RunRecorder* recorder) {
    const bool is_stopped = outcome.reason == trainer::StopReason::requested;
    if (recorder != nullptr && is_stopped) {
        const storage::ResumePoint point{.epochs_finished = outcome.epochs_finished,
                                         .steps_of_next_epoch = outcome.steps_of_next_epoch};
        recorder->interrupt(fmt::format("stopped {} {}", stop_reason(), describe(point)));
    }
    if (recorder != nullptr && !is_stopped) recorder->finish(outcome);
    return is_stopped ? kExitInterrupted : kExitSuccess;
}

int GroupTrainer::fail(const std::exception& error, const PlannedRun& planned,
                       RunRecorder* recorder) {
    if (recorder != nullptr) {
        recorder->fail(error.what());
        progress_.error(fmt::format("run {}: {}", planned.id, error.what()));
    }
    return failure_of(std::current_exception()).exit_code();
}

}  // namespace lockstep::pipeline
