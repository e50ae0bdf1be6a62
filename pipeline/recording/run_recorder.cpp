#include "pipeline/recording/run_recorder.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "pipeline/keras/keras_config.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "pipeline/planning/effective_config.hpp"
#include "pipeline/recording/missing_classes.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/recording/run_space.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "reports/words/number_text.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"
#include "storage/files/utc_time.hpp"
#include "storage/weights/predictions_file.hpp"

namespace lockstep::pipeline {
namespace {

constexpr double kStepInterval = 0.1;  // seconds between two steps that are shown
constexpr double kLogInterval = 5.0;   // seconds between two steps that are logged

// A commit waits so long for other users of the database; from the first that waited in vain to the
// next that is made, less: training is held up by them once.
constexpr std::chrono::milliseconds kRecordingWait{5000};
constexpr std::chrono::milliseconds kSpoolingWait{100};
constexpr std::chrono::milliseconds kFinishWait{120000};

constexpr const char* kSpoolWords =
    "rows are kept beside the run (spool-*.jsonl) until the database takes them";

// Rather than for good.
bool is_unable_now(const storage::StorageError& error) {
    using Kind = storage::StorageError::Kind;
    return error.kind() == Kind::locked || error.kind() == Kind::full || error.kind() == Kind::io;
}

std::string counted(int count, std::string_view thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// A link out of the store would be written through.
std::filesystem::path without_link(const std::filesystem::path& path) {
    std::error_code unknown;
    if (std::filesystem::is_symlink(path, unknown)) std::filesystem::remove(path, unknown);
    return path;
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
      files_(store.run_files(planned.id)),
      model_(keras_model(planned.run.config, planned.run.architecture)),
      log_(without_link(files_.log), std::ios::app),
      attempt_(attempt),
      lease_(lease),
      spool_(files_.folder, attempt) {}

// ---- the attempt -----------------------------------------------------------------------------

void RunRecorder::begin(const storage::ResumePoint& resume) {
    require_space(planned_, files_, resume.is_start());
    database_.put_run(run_row(planned_, setting_.experiment, &data_));
    database_.start_attempt(planned_.id, attempt_, resume);
    has_begun_ = true;
    // Only now: were the database not writable, a finished run would have lost its files.
    if (resume.is_start()) store_.remove_run_files(planned_.id);
    const auto effective = storage::replace_file(
        files_.effective_config, effective_toml(planned_.effective, setting_.experiment));
    const storage::ArtifactRow rows[] = {
        artifact(storage::kEffectiveConfigArtifact, files_.effective_config, effective, 0)};
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
    take_in_spool(kFinishWait);
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
    end.artifacts = {write_weights(storage::kFinalArtifact, files_.final_weights,
                                   to_arrays(outcome.weights), outcome.weights_epoch),
                     write_predictions(outcome)};
    // An old process of a lost attempt may have outlived the sweep at the start of this one.
    store_.sweep_run_folder(planned_.id);
    end.metrics = final_metrics(planned_.id, outcome, epochs);
    database_.end_attempt(planned_.id, attempt_, end);
    tell(fmt::format("{}: test loss {} - test accuracy {} ({} samples, weights of epoch {})",
                     planned_.run.config.name, format_metric(outcome.test.loss),
                     format_metric(outcome.test.accuracy), reports::thousands(outcome.test.count),
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
    take_in_spool(state == storage::RunState::failed ? kFinishWait : kRecordingWait);
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
    writer_.check();
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
    return std::chrono::steady_clock::now() - last_snapshot_ >= minutes && writer_.is_idle();
}

void RunRecorder::on_snapshot(trainer::Snapshot snapshot) {
    last_snapshot_ = std::chrono::steady_clock::now();
    writer_.start(
        [this, snapshot = std::move(snapshot), steps = std::exchange(steps_, {})]() mutable {
            record(std::move(snapshot), steps);
        });
}

void RunRecorder::settle() {
    writer_.settle();
    if (spool_note_.empty()) return;
    tell(fmt::format("{}warning: {}: {}", ProgressSink::kErrorPrefix, planned_.run.config.name,
                     std::exchange(spool_note_, {})));
}

// ---- files -----------------------------------------------------------------------------------

void RunRecorder::record(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps) const {
    if (lease_.is_taken_over()) return;
    try {
        write(std::move(snapshot), std::move(steps));
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::taken_over) throw;
        lease_.note_taken_over();  // by which training stops in order, on all ranks
    }
}

void RunRecorder::write(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps) const {
    const int epoch = snapshot.state.epochs_finished;
    storage::RecordedRows rows{.run = planned_.id, .steps = std::move(steps)};
    if (snapshot.epoch) rows.epoch = epoch_row(planned_.id, attempt_, *snapshot.epoch);
    if (may_replace_files())
        rows.artifacts = write_state(std::move(snapshot.state), snapshot.is_best, epoch);
    commit(rows);
}

// Only what took its name is told.
std::vector<storage::ArtifactRow> RunRecorder::write_state(trainer::TrainState state, bool is_best,
                                                           int epoch) const {
    std::vector<storage::ArtifactRow> written;
    try {
        const storage::CheckpointState checkpoint = checkpoint_state(std::move(state));
        const auto saved =
            storage::write_checkpoint(files_.checkpoint, files_.previous_checkpoint, model_,
                                      checkpoint, [this] { require_may_replace_files(); });
        written = {artifact(storage::kCheckpointArtifact, files_.checkpoint, saved, epoch)};
        if (is_best)
            written.push_back(
                write_weights(storage::kBestArtifact, files_.best, checkpoint.weights, epoch));
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::locked) throw;
    }
    return written;
}

void RunRecorder::require_may_replace_files() const {
    if (may_replace_files()) return;
    throw storage::StorageError(storage::StorageError::Kind::locked,
                                fmt::format("run {}: nothing tells whether it is still this "
                                            "attempt's",
                                            planned_.id));
}

// Asked right before a file takes its name. In the instant between the two another attempt may
// still begin; what its predecessor then leaves there has a digest that no row tells, and is passed
// over.
bool RunRecorder::may_replace_files() const {
    try {
        database_.require_newest(planned_.id, attempt_);
    } catch (const storage::StorageError& error) {
        if (!is_unable_now(error)) throw;
        database_.wait_at_most(kSpoolingWait);
        return lease_.holds_run();
    }
    return true;
}

// Training is not held up, and not ended, by who holds the database or fills its disk.
void RunRecorder::commit(const storage::RecordedRows& rows) const {
    try {
        spool_.take_in(database_);
        database_.record(attempt_, {&rows, 1});
        database_.wait_at_most(kRecordingWait);
    } catch (const storage::StorageError& error) {
        if (!is_unable_now(error)) throw;
        database_.wait_at_most(kSpoolingWait);
        if (spool_.is_empty()) spool_note_ = fmt::format("{}; {}", error.what(), kSpoolWords);
        spool_.append(rows);
    }
}

void RunRecorder::take_in_spool(std::chrono::milliseconds wait) {
    database_.wait_at_most(wait);
    spool_.take_in(database_);
}

storage::ArtifactRow RunRecorder::artifact(std::string_view kind, const std::filesystem::path& path,
                                           const storage::SavedFile& saved, int epoch) const {
    return {planned_.id, std::string(kind), store_.relative_path(path),
            saved.bytes, saved.sha256,      epoch};
}

storage::CheckpointState RunRecorder::checkpoint_state(trainer::TrainState state) const {
    storage::CheckpointState checkpoint;
    checkpoint.run = planned_.id;
    checkpoint.seed = planned_.run.config.train.seed;
    checkpoint.config_digest = planned_.effective.digest;
    checkpoint.data_digest = data_.dataset->digest;
    checkpoint.lockstep_version = lockstep_version();
    checkpoint.onednn_version = setting_.environment.onednn_version;
    checkpoint.isa = setting_.environment.isa;
    checkpoint.simd_target = setting_.environment.simd_target;
    checkpoint.arithmetic = setting_.environment.arithmetic;
    put_state(std::move(state), checkpoint);
    return checkpoint;
}

storage::ArtifactRow RunRecorder::write_weights(std::string_view kind,
                                                const std::filesystem::path& path,
                                                const storage::NamedArrays& weights,
                                                int epoch) const {
    storage::StateGroup state;
    state.values = {{"run", planned_.id},
                    {"seed", static_cast<std::int64_t>(planned_.run.config.train.seed)},
                    {"epoch", std::int64_t{epoch}},
                    {"config_digest", planned_.effective.digest},
                    {"data_digest", data_.dataset->digest},
                    {"lockstep_version", lockstep_version()}};
    // Every other scale stands in effective.toml; this one would be with the data alone.
    if (planned_.run.config.data.scale == trainer::Scale::standard) {
        state.values.emplace(kPixelOffsetNote, note_of(data_.scale.offset));
        state.values.emplace(kPixelDivisorNote, note_of(data_.scale.divisor));
    }
    const auto saved = storage::write_model_file(path, model_, weights, state,
                                                 [this] { require_may_replace_files(); });
    return artifact(kind, path, saved, epoch);
}

storage::ArtifactRow RunRecorder::write_predictions(const trainer::TrainOutcome& outcome) const {
    const auto saved =
        storage::write_predictions(files_.predictions, predictions_of(data_, outcome),
                                   [this] { require_may_replace_files(); });
    return artifact(storage::kPredictionsArtifact, files_.predictions, saved,
                    outcome.weights_epoch);
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

void RunRecorder::log(const std::string& line) {
    log_ << line << std::endl;  // whole lines, even if the process dies next
}

}  // namespace lockstep::pipeline
