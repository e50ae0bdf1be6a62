#include "pipeline/recording/run_writer.hpp"

#include <fmt/format.h>

#include <utility>

#include "pipeline/keras/keras_config.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/weights/predictions_file.hpp"

namespace lockstep::pipeline {
namespace {

// From the first commit that waited in vain to the next that is made, less than kRecordingWait:
// training is held up by other users of the database once.
constexpr std::chrono::milliseconds kSpoolingWait{100};

}  // namespace

bool is_unable_now(const storage::StorageError& error) {
    using Kind = storage::StorageError::Kind;
    return error.kind() == Kind::locked || error.kind() == Kind::full || error.kind() == Kind::io;
}

RunWriter::RunWriter(const storage::RunStore& store, storage::RunDatabase& database,
                     const PlannedRun& planned, const trainer::RunData& data,
                     const RunSetting& setting, int attempt, LeaseKeeper& lease)
    : store_(store),
      database_(database),
      planned_(planned),
      data_(data),
      setting_(setting),
      files_(store.run_files(planned.id)),
      model_(keras_model(planned.run.config, planned.run.architecture)),
      attempt_(attempt),
      lease_(lease),
      spool_(files_.folder, attempt) {}

void RunWriter::record(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps) {
    if (lease_.is_taken_over()) return;
    try {
        write(std::move(snapshot), std::move(steps));
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::taken_over) throw;
        lease_.note_taken_over();  // by which training stops in order, on all ranks
    }
}

void RunWriter::write(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps) {
    const int epoch = snapshot.state.epochs_finished;
    storage::RecordedRows rows{.run = planned_.id, .steps = std::move(steps)};
    if (snapshot.epoch) rows.epoch = epoch_row(planned_.id, attempt_, *snapshot.epoch);
    if (may_replace_files())
        rows.artifacts = write_state(std::move(snapshot.state), snapshot.is_best, epoch);
    commit(rows);
}

// Only what took its name is told.
std::vector<storage::ArtifactRow> RunWriter::write_state(trainer::TrainState state, bool is_best,
                                                         int epoch) {
    std::vector<storage::ArtifactRow> written;
    try {
        const storage::CheckpointState checkpoint = checkpoint_state(std::move(state));
        written = {write_checkpoint(checkpoint, epoch)};
        if (is_best)
            written.push_back(write_weights(storage::kBestArtifact, files_.best,
                                            evaluated_weights(checkpoint), epoch));
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::locked) throw;
    }
    return written;
}

void RunWriter::require_may_replace_files() {
    if (may_replace_files()) return;
    throw storage::StorageError(storage::StorageError::Kind::locked,
                                fmt::format("run {}: nothing tells whether it is still this "
                                            "attempt's",
                                            planned_.id));
}

// Asked right before a file takes its name. In the instant between the two another attempt may
// still begin; what its predecessor then leaves there has a digest that no row tells, and is passed
// over.
bool RunWriter::may_replace_files() {
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
void RunWriter::commit(const storage::RecordedRows& rows) {
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

std::string RunWriter::take_spool_note() { return std::exchange(spool_note_, {}); }

void RunWriter::take_in_spool(std::chrono::milliseconds wait) {
    database_.wait_at_most(wait);
    spool_.take_in(database_);
}

storage::ArtifactRow RunWriter::artifact(std::string_view kind, const std::filesystem::path& path,
                                         const storage::SavedFile& saved, int epoch) const {
    return {planned_.id, std::string(kind), store_.relative_path(path),
            saved.bytes, saved.sha256,      epoch};
}

storage::CheckpointState RunWriter::checkpoint_state(trainer::TrainState state) const {
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

storage::ArtifactRow RunWriter::write_effective_config(const std::string& text) {
    const auto saved = storage::replace_file(files_.effective_config, text);
    return artifact(storage::kEffectiveConfigArtifact, files_.effective_config, saved, 0);
}

storage::ArtifactRow RunWriter::write_checkpoint(const storage::CheckpointState& checkpoint,
                                                 int epoch) {
    const auto saved =
        storage::write_checkpoint(files_.checkpoint, files_.previous_checkpoint, model_, checkpoint,
                                  [this] { require_may_replace_files(); });
    return artifact(storage::kCheckpointArtifact, files_.checkpoint, saved, epoch);
}

storage::ArtifactRow RunWriter::write_weights(std::string_view kind,
                                              const std::filesystem::path& path,
                                              const storage::NamedArrays& weights, int epoch) {
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

storage::ArtifactRow RunWriter::write_predictions(const trainer::TrainOutcome& outcome) {
    const auto saved = storage::write_predictions(
        files_.predictions, predictions_of(planned_.run.config, data_, outcome),
        [this] { require_may_replace_files(); });
    return artifact(storage::kPredictionsArtifact, files_.predictions, saved,
                    outcome.weights_epoch);
}

}  // namespace lockstep::pipeline
