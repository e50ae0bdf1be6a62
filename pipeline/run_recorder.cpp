#include "pipeline/run_recorder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <variant>

#include "pipeline/effective_config.hpp"
#include "pipeline/keras_config.hpp"
#include "pipeline/model_summary.hpp"
#include "pipeline/tensors.hpp"
#include "pipeline/version.hpp"
#include "storage/atomic_file.hpp"
#include "storage/checkpoint_file.hpp"
#include "storage/predictions_file.hpp"
#include "storage/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

constexpr double kStepInterval = 0.1;      // seconds between two steps that are shown
constexpr std::size_t kStoredImages = 25;  // of the test set, for a grid in the report

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

std::string scheduler_job() {
    for (const char* name : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"}) {
        if (const char* id = std::getenv(name)) return id;
    }
    return {};
}

std::string_view optimizer_name(const trainer::OptimizerConfig& optimizer) {
    if (std::holds_alternative<trainer::SgdConfig>(optimizer.rule)) return "sgd";
    if (std::holds_alternative<trainer::AdamConfig>(optimizer.rule)) return "adam";
    return "rmsprop";
}

std::string_view exchange_name(trainer::ExchangeKind kind) {
    switch (kind) {
        case trainer::ExchangeKind::ordered:
            return "ordered";
        case trainer::ExchangeKind::ring:
            return "ring";
        case trainer::ExchangeKind::mpi:
            return "mpi";
    }
    return "";
}

std::string_view dataset_name(trainer::DatasetName name) {
    return name == trainer::DatasetName::cifar10 ? "cifar10" : "synthetic";
}

std::string counted(int count, std::string_view thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// A line a layer: "Conv2D conv2d_1 (None, 30, 30, 32)".
std::string architecture_text(const trainer::Architecture& architecture) {
    std::string text = "Input " + trainer::to_string(architecture.input);
    for (const trainer::LayerShape& layer : architecture.layers) {
        text += fmt::format("\n{} {} {}", layer.class_name, layer.name,
                            trainer::to_string(layer.output));
    }
    return text;
}

// From CIFAR's planes [channels, height, width] to pixels [height, width, channels].
void append_image(const trainer::SampleSet& samples, std::size_t sample,
                  const trainer::Shape& shape, std::vector<std::uint8_t>& images) {
    const auto plane =
        static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width);
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::uint8_t* pixels =
        samples.images->pixels.data() + samples.indices[sample] * plane * channels;
    for (std::size_t place = 0; place < plane; ++place) {
        for (std::size_t c = 0; c < channels; ++c) images.push_back(pixels[c * plane + place]);
    }
}

}  // namespace

storage::RunRow run_row(const PlannedRun& planned, const std::string& experiment,
                        const trainer::RunData* data) {
    const trainer::RunConfig& config = planned.run.config;
    storage::RunRow row;
    row.run = planned.id;
    row.experiment = experiment;
    row.name = config.name;
    row.title = planned.run.title;
    row.source = planned.run.source;
    row.seed = static_cast<std::int64_t>(config.train.seed);
    row.config_digest = planned.effective.digest;
    row.data_digest = data != nullptr ? data->dataset->digest : "";
    row.dataset = dataset_name(config.data.dataset);
    row.architecture = architecture_text(planned.run.architecture);
    row.optimizer = optimizer_name(config.train.optimizer);
    row.batch_size = config.train.batch_size;
    row.shards = config.parallel.shards;
    row.exchange = exchange_name(config.parallel.exchange);
    row.parameters = planned.parameters;
    row.trainable_parameters = planned.trainable_parameters;
    row.flops_per_image = planned.flops_per_image;
    row.epochs = config.train.epochs;
    const RunEstimate& estimate = planned.estimate;
    row.training_samples = data != nullptr ? data->training.count() : estimate.training_samples;
    row.validation_samples =
        data != nullptr ? data->validation.count() : estimate.validation_samples;
    row.test_samples = data != nullptr ? data->test.count() : estimate.test_samples;
    row.validates_on_test_set = planned.validates_on_test_set;
    row.selected_on_test_set = planned.selects_on_test_set;
    row.expected = expected_json(planned.run.expect);
    row.effective_config = effective_toml(planned.effective, experiment);
    return row;
}

RunRecorder::RunRecorder(const storage::RunStore& store, storage::RunDatabase& database,
                         const PlannedRun& planned, const trainer::RunData& data,
                         const RunSetting& setting, ProgressSink& progress)
    : store_(store),
      database_(database),
      planned_(planned),
      data_(data),
      setting_(setting),
      progress_(progress),
      files_(store.run_files(planned.id)),
      model_(keras_model(planned.run.config, planned.run.architecture)),
      log_(files_.log, std::ios::app) {}

// ---- the attempt -----------------------------------------------------------------------------

void RunRecorder::begin(const storage::ResumePoint& resume) {
    database_.put_run(run_row(planned_, setting_.experiment, &data_));
    const trainer::ComputeEnvironment& environment = setting_.environment;
    storage::AttemptRow row;
    row.run = planned_.id;
    row.host = host_name();
    row.boot_id = boot_id();
    row.pid = ::getpid();
    row.job_id = scheduler_job();
    row.ranks = setting_.ranks;
    row.lockstep_version = lockstep_version();
    row.onednn_version = environment.onednn_version;
    row.mpi_version = environment.mpi_version;
    row.isa = environment.isa;
    row.simd_target = environment.simd_target;
    row.first_epoch = resume.epochs_finished + 1;
    row.started_utc = storage::utc_now();
    attempt_ = database_.begin_attempt(row, resume);
    // Only now: were the database not writable, a finished run would have lost its files.
    if (resume.epochs_finished == 0) store_.remove_run_files(planned_.id);
    const auto effective = storage::replace_file(
        files_.effective_config, effective_toml(planned_.effective, setting_.experiment));
    const storage::ArtifactRow rows[] = {
        artifact(storage::kEffectiveConfigArtifact, files_.effective_config, effective, 0)};
    database_.put_artifacts(rows);

    log(fmt::format("--- {} attempt {} on {} ({})", row.started_utc, attempt_, row.host,
                    counted(row.ranks, "rank")));
    const trainer::TrainConfig& train = planned_.run.config.train;
    const std::string where = resume.epochs_finished > 0
                                  ? fmt::format(", resumed after epoch {}", resume.epochs_finished)
                                  : "";
    tell(fmt::format("{}: {} parameters, {} training samples, {}, {}{}", planned_.run.config.name,
                     with_thousands(planned_.parameters), with_thousands(data_.training.count()),
                     counted(train.epochs, "epoch"), counted(setting_.ranks, "rank"), where));
}

void RunRecorder::finish(const trainer::TrainOutcome& outcome) {
    storage::AttemptEnd end;
    end.state = storage::RunState::finished;
    end.utc = storage::utc_now();
    if (outcome.reason == trainer::StopReason::early_stopping) {
        end.cause = fmt::format("early stopping after epoch {}", outcome.epochs_finished);
        add_event("stopped_early", end.cause);
    }
    end.artifacts = {write_weights(storage::kFinalArtifact, files_.final_weights, outcome.weights,
                                   outcome.weights_epoch),
                     write_predictions(outcome)};
    end.metrics = final_metrics(outcome);
    database_.end_attempt(planned_.id, attempt_, end);
    tell(fmt::format("{}: test loss {} - test accuracy {} ({} samples, weights of epoch {})",
                     planned_.run.config.name, format_metric(outcome.test.loss),
                     format_metric(outcome.test.accuracy), with_thousands(outcome.test.count),
                     outcome.weights_epoch));
}

void RunRecorder::interrupt(const std::string& cause) {
    end(storage::RunState::interrupted, cause);
}

void RunRecorder::fail(const std::string& cause) { end(storage::RunState::failed, cause); }

void RunRecorder::end(storage::RunState state, const std::string& cause) {
    log(fmt::format("{}: {}", storage::to_string(state), cause));
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
    epoch_ = epoch;
    steps_per_epoch_ = steps;
    last_step_seconds_ = 0.0;
    steps_.clear();
    ProgressEvent event = progress_event(ProgressEvent::Kind::epoch_begin);
    event.epochs = epochs;
    progress_.show(event);
}

void RunRecorder::on_step_end(const trainer::StepRecord& step) {
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
}

void RunRecorder::on_epoch_end(const trainer::EpochRecord& epoch) {
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
    log(fmt::format("Epoch {}/{}", epoch.epoch, epoch.epochs));
    log(format_plain_line(event));
}

void RunRecorder::on_snapshot(const trainer::Snapshot& snapshot) {
    std::vector<storage::ArtifactRow> artifacts{write_checkpoint(snapshot)};
    if (snapshot.is_best) {
        artifacts.push_back(write_weights(storage::kBestArtifact, files_.best,
                                          snapshot.state.weights, snapshot.epoch.epoch));
    }
    database_.record_epoch(epoch_row(snapshot.epoch), steps_, artifacts);
}

// ---- files -----------------------------------------------------------------------------------

storage::ArtifactRow RunRecorder::artifact(std::string_view kind, const std::filesystem::path& path,
                                           const storage::SavedFile& saved, int epoch) const {
    return {planned_.id, std::string(kind), store_.relative_path(path),
            saved.bytes, saved.sha256,      epoch};
}

storage::ArtifactRow RunRecorder::write_checkpoint(const trainer::Snapshot& snapshot) {
    storage::CheckpointState state;
    state.run = planned_.id;
    state.seed = planned_.run.config.train.seed;
    state.config_digest = planned_.effective.digest;
    state.data_digest = data_.dataset->digest;
    state.lockstep_version = lockstep_version();
    state.onednn_version = setting_.environment.onednn_version;
    state.isa = setting_.environment.isa;
    state.simd_target = setting_.environment.simd_target;
    put_state(snapshot.state, state);
    const auto saved =
        storage::write_checkpoint(files_.checkpoint, files_.previous_checkpoint, model_, state);
    return artifact(storage::kCheckpointArtifact, files_.checkpoint, saved, snapshot.epoch.epoch);
}

storage::ArtifactRow RunRecorder::write_weights(std::string_view kind,
                                                const std::filesystem::path& path,
                                                const trainer::NamedTensors& weights, int epoch) {
    storage::StateGroup state;
    state.values = {{"run", planned_.id},
                    {"seed", static_cast<std::int64_t>(planned_.run.config.train.seed)},
                    {"epoch", std::int64_t{epoch}},
                    {"config_digest", planned_.effective.digest},
                    {"data_digest", data_.dataset->digest},
                    {"lockstep_version", lockstep_version()}};
    const auto saved = storage::write_model_file(path, model_, to_arrays(weights), state);
    return artifact(kind, path, saved, epoch);
}

storage::ArtifactRow RunRecorder::write_predictions(const trainer::TrainOutcome& outcome) {
    storage::Predictions predictions;
    predictions.class_names = data_.class_names;
    predictions.labels = data_.test.labels;
    predictions.probabilities = outcome.test_probabilities;
    predictions.image_height = data_.shape.height;
    predictions.image_width = data_.shape.width;
    const std::size_t images = std::min(kStoredImages, data_.test.labels.size());
    for (std::size_t sample = 0; sample < images; ++sample) {
        predictions.image_samples.push_back(static_cast<std::uint32_t>(sample));
        append_image(data_.test, sample, data_.shape, predictions.images);
    }
    const auto saved = storage::write_predictions(files_.predictions, predictions);
    return artifact(storage::kPredictionsArtifact, files_.predictions, saved,
                    outcome.weights_epoch);
}

// ---- rows ------------------------------------------------------------------------------------

storage::EpochRow RunRecorder::epoch_row(const trainer::EpochRecord& epoch) const {
    storage::EpochRow row;
    row.run = planned_.id;
    row.epoch = epoch.epoch;
    row.attempt = attempt_;
    row.steps = epoch.steps;
    row.loss = epoch.training.loss;
    row.accuracy = epoch.training.accuracy;
    row.training_count = epoch.training.count;
    if (epoch.validation) {
        row.val_loss = epoch.validation->loss;
        row.val_accuracy = epoch.validation->accuracy;
        row.validation_count = epoch.validation->count;
    }
    row.learning_rate = epoch.learning_rate;
    row.weights_digest = epoch.weights_digest;
    row.epoch_seconds = epoch.epoch_seconds;
    row.training_seconds = epoch.training_seconds;
    row.exchange_seconds = epoch.exchange_seconds;
    row.data_seconds = epoch.data_seconds;
    row.evaluation_seconds = epoch.evaluation_seconds;
    row.images_per_second = epoch.images_per_second;
    row.finished_utc = storage::utc_now();
    return row;
}

std::vector<storage::MetricRow> RunRecorder::final_metrics(
    const trainer::TrainOutcome& outcome) const {
    std::vector<storage::MetricRow> rows{
        {planned_.id, "test_loss", outcome.test.loss},
        {planned_.id, "test_accuracy", outcome.test.accuracy},
        {planned_.id, "test_count", static_cast<double>(outcome.test.count)},
        {planned_.id, "weights_epoch", static_cast<double>(outcome.weights_epoch)}};
    const std::vector<storage::EpochRow> epochs = database_.epochs(planned_.id);
    const storage::EpochRow* best_accuracy = nullptr;
    const storage::EpochRow* best_loss = nullptr;
    for (const storage::EpochRow& row : epochs) {  // a NaN is never better
        if (!row.val_accuracy || !row.val_loss) continue;
        if (!best_accuracy || *row.val_accuracy > *best_accuracy->val_accuracy)
            best_accuracy = &row;
        if (!best_loss || *row.val_loss < *best_loss->val_loss) best_loss = &row;
    }
    if (best_accuracy != nullptr) {
        rows.push_back({planned_.id, "best_val_accuracy", *best_accuracy->val_accuracy});
        rows.push_back({planned_.id, "best_epoch", static_cast<double>(best_accuracy->epoch)});
        rows.push_back({planned_.id, "best_val_loss", *best_loss->val_loss});
    }
    return rows;
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
