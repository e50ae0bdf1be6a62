#include "pipeline/recording/run_recorder.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "pipeline/keras/model_summary.hpp"
#include "pipeline/planning/effective_config.hpp"
#include "pipeline/recording/missing_classes.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/recording/run_space.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/settings/words.hpp"
#include "reports/words/number_text.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

constexpr double kStepInterval = 0.1;  // seconds between two steps that are shown
constexpr double kLogInterval = 5.0;   // seconds between two steps that are logged

constexpr std::chrono::milliseconds kFinishWait{120000};  // for other users of the database

std::string counted(int count, std::string_view thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace

RunRecorder::RunRecorder(const storage::RunStore& store, storage::RunDatabase& database,
                         const PlannedRun& planned, const trainer::RunData& data,
                         const RunSetting& setting, int attempt, LeaseKeeper& lease,
                         ProgressSink& progress)
    : store_(store),
      database_(database),
      planned_(planned),
      data_(data),
      setting_(setting),
      progress_(progress),
      attempt_(attempt),
      lease_(lease),
      writer_(store, database, planned, data, setting, attempt, lease),
      log_(writer_.files().log) {}

// ---- the attempt -----------------------------------------------------------------------------

void RunRecorder::begin(const storage::ResumePoint& resume) {
    // Told before the first step rather than after the last one.
    if (!resume.is_start()) store_.require_places_of_files(planned_.id);
    require_space(planned_, writer_.files(), resume.is_start());
    database_.put_run(run_row(planned_, setting_.experiment, &data_));
    database_.start_attempt(planned_.id, attempt_, resume);
    has_begun_ = true;
    // Only now: were the database not writable, a finished run would have lost its files.
    if (resume.is_start()) store_.remove_run_files(planned_.id);
    const storage::ArtifactRow rows[] = {
        writer_.write_effective_config(effective_toml(planned_.effective, setting_.experiment))};
    database_.put_artifacts(attempt_, rows);

    if (!setting_.provenance.command.empty()) add_event("command", setting_.provenance.command);
    if (!setting_.provenance.source.empty()) add_event("source", setting_.provenance.source);

    log(fmt::format("--- {} attempt {} on {} ({})", storage::utc_now(), attempt_,
                    storage::host_name(), counted(setting_.ranks, "rank")));
    const trainer::TrainConfig& train = planned_.run.config.train;
    const std::string where = resume.is_start() ? "" : ", resumed " + describe(resume);
    tell(fmt::format("{}: {} parameters, {} training samples, {}, {}{}", planned_.run.config.name,
                     reports::thousands(planned_.parameters),
                     reports::thousands(data_.training.count()), counted(train.epochs, "epoch"),
                     counted(setting_.ranks, "rank"), where));
    if (const std::string missing = missing_classes(data_); !missing.empty()) warn(missing);
    last_snapshot_ = std::chrono::steady_clock::now();
    database_.wait_at_most(kRecordingWait);
}

void RunRecorder::finish(const trainer::TrainOutcome& outcome) {
    writer_.take_in_spool(kFinishWait);
    storage::AttemptEnd end;
    end.state = storage::RunState::finished;
    end.utc = storage::utc_now();
    if (outcome.reason == trainer::StopReason::early_stopping) {
        end.cause = fmt::format("early stopping after epoch {}", outcome.epochs_finished);
        add_event("stopped_early", end.cause);
    }
    const std::vector<storage::EpochRow> epochs = database_.epochs(planned_.id);
    if (const std::string doubts = doubts_of(outcome, epochs); !doubts.empty()) {
        warn(doubts);
        end.cause += (end.cause.empty() ? "" : "; ") + doubts;
    }
    database_.require_newest(planned_.id, attempt_);
    end.artifacts = {writer_.write_weights(storage::kFinalArtifact, writer_.files().final_weights,
                                           to_arrays(outcome.weights), outcome.weights_epoch),
                     writer_.write_predictions(outcome)};
    // An old process of a lost attempt may have outlived the sweep at the start of this one.
    store_.sweep_run_folder(planned_.id);
    end.metrics = final_metrics(planned_.id, outcome, epochs);
    database_.end_attempt(planned_.id, attempt_, end);
    const trainer::TestViews views = planned_.run.config.data.test_views;
    tell(fmt::format(
        "{}: test loss {} - test accuracy {} ({} samples{}, weights of epoch {})",
        planned_.run.config.name, format_metric(outcome.test.loss),
        format_metric(outcome.test.accuracy), reports::thousands(outcome.test.count),
        views == trainer::TestViews::image ? "" : fmt::format(", views {}", word_of(views)),
        outcome.weights_epoch));
}

// Its checkpoint is durable: what the database cannot take now the next start takes in.
void RunRecorder::interrupt(const std::string& cause) {
    try {
        end(storage::RunState::interrupted, cause);
    } catch (const storage::StorageError& error) {
        if (!is_unable_now(error)) throw;
        tell(fmt::format("{}{}; {}", ProgressSink::kErrorPrefix, error.what(), kSpoolWords));
    }
}

void RunRecorder::fail(const std::string& cause) { end(storage::RunState::failed, cause); }

void RunRecorder::end(storage::RunState state, const std::string& cause) {
    if (!has_begun_) return;
    log(fmt::format("{}: {}", storage::to_string(state), cause));
    writer_.take_in_spool(state == storage::RunState::failed ? kFinishWait : kRecordingWait);
    database_.end_attempt(planned_.id, attempt_,
                          {.state = state,
                           .cause = cause,
                           .utc = storage::utc_now(),
                           .metrics = {},
                           .artifacts = {}});
}

void RunRecorder::warn(const std::string& text) {
    tell(fmt::format("{}warning: {}: {}", ProgressSink::kErrorPrefix, planned_.run.config.name,
                     text));
    add_event("warning", text);
}

// ---- what training tells ---------------------------------------------------------------------

void RunRecorder::on_epoch_begin(int epoch, int epochs, std::int64_t steps) {
    lease_.note_progress();
    epoch_ = epoch;
    steps_per_epoch_ = steps;
    last_step_seconds_ = 0.0;
    last_logged_seconds_ = 0.0;
    if (planned_.run.config.train.record_steps) steps_.reserve(static_cast<std::size_t>(steps));
    ProgressEvent event = progress_event(ProgressEvent::Kind::epoch_begin);
    event.epochs = epochs;
    progress_.show(event);
    log(fmt::format("Epoch {}/{}", epoch, epochs));
}

void RunRecorder::on_step_end(const trainer::StepRecord& step) {
    background_.check();
    lease_.note_progress();
    if (planned_.run.config.train.record_steps) {
        steps_.push_back(
            {planned_.id, step.step, step.step_metrics.loss, step.step_metrics.accuracy});
    }
    if (step.epoch_seconds - last_step_seconds_ < kStepInterval) return;
    last_step_seconds_ = step.epoch_seconds;
    ProgressEvent event = progress_event(ProgressEvent::Kind::step);
    event.steps_done = step.step_in_epoch + 1;
    event.seconds = step.epoch_seconds;
    event.loss = step.epoch_metrics.loss;
    event.accuracy = step.epoch_metrics.accuracy;
    progress_.show(event);
    if (step.epoch_seconds - last_logged_seconds_ < kLogInterval) return;
    last_logged_seconds_ = step.epoch_seconds;
    log(format_plain_line(event));  // for `tail`
}

void RunRecorder::on_epoch_end(const trainer::EpochRecord& epoch) {
    settle();
    ProgressEvent event = progress_event(ProgressEvent::Kind::epoch_end);
    event.steps_done = event.steps = epoch.steps;
    event.seconds = epoch.epoch_seconds;
    event.loss = epoch.training.loss;
    event.accuracy = epoch.training.accuracy;
    if (epoch.validation) {
        event.val_loss = epoch.validation->loss;
        event.val_accuracy = epoch.validation->accuracy;
    }
    progress_.show(event);
    log(format_plain_line(event));
}

bool RunRecorder::wants_snapshot() {
    const std::chrono::duration<double, std::ratio<60>> minutes(
        planned_.run.config.train.checkpoint_minutes);
    return std::chrono::steady_clock::now() - last_snapshot_ >= minutes && background_.is_idle();
}

void RunRecorder::on_snapshot(trainer::Snapshot snapshot) {
    last_snapshot_ = std::chrono::steady_clock::now();
    background_.start(
        [this, snapshot = std::move(snapshot), steps = std::exchange(steps_, {})]() mutable {
            writer_.record(std::move(snapshot), std::move(steps));
        });
}

void RunRecorder::settle() {
    background_.settle();
    const std::string note = writer_.take_spool_note();
    if (note.empty()) return;
    tell(fmt::format("{}warning: {}: {}", ProgressSink::kErrorPrefix, planned_.run.config.name,
                     note));
}

// ---- people ----------------------------------------------------------------------------------

ProgressEvent RunRecorder::progress_event(ProgressEvent::Kind kind) const {
    ProgressEvent event;
    event.kind = kind;
    event.run = planned_.run.config.name;
    event.is_side_by_side = setting_.is_side_by_side;
    event.epoch = epoch_;
    event.epochs = planned_.run.config.train.epochs;
    event.steps = steps_per_epoch_;
    return event;
}

void RunRecorder::add_event(const std::string& kind, const std::string& text) {
    database_.add_event({planned_.id, attempt_, storage::utc_now(), kind, text});
}

void RunRecorder::tell(const std::string& text) {
    progress_.message(text);
    log(text);
}

void RunRecorder::log(const std::string& line) { log_.write_line(line); }

}  // namespace lockstep::pipeline
