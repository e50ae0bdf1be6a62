#include "tests/reports/report_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::reports {
namespace {

storage::RunRow row_of(const std::string& name, std::int64_t seed) {
    storage::RunRow row;
    row.run = fmt::format("{}-{:08}", name, seed);
    row.experiment = "imagined";
    row.name = name;
    row.seed = seed;
    row.data_digest = "a digest";
    row.dataset = "cifar10";
    row.architecture = "Input (None, 2, 2, 3)\nDense dense (None, 2)";
    row.optimizer = "adam";
    row.batch_size = 32;
    row.exchange = "ordered";
    row.parameters = 1234;
    row.flops_per_image = 5678;
    row.epochs = 10;
    row.training_samples = 1000;
    row.validation_samples = 100;
    row.test_samples = 100;
    row.effective_config = fmt::format(
        "schema = 1\n\n[experiment]\nname = \"imagined\"\n\n[[run]]\nname = \"{}\"  # my.toml:3\n"
        "data.classes = [\"cat\", \"dog\"]  # default\ntrain.seed = {}  # default\n"
        "train.batch_size = 32  # my.toml:4\n\n[[run.layers]]\ntype = \"dense\"  # my.toml:9\n"
        "units = 2  # my.toml:9\n",
        name, seed);
    return row;
}

storage::EpochRow epoch_of(const std::string& run, int epoch) {
    storage::EpochRow row;
    row.run = run;
    row.epoch = epoch;
    row.attempt = 1;
    row.loss = 2.0 / epoch;
    row.accuracy = 0.05 * epoch;
    row.val_loss = 2.5 / epoch;
    row.val_accuracy = 0.04 * epoch;
    row.learning_rate = 1e-3;
    row.training_count = 1000;
    row.validation_count = 100;
    row.epoch_seconds = 3.0;
    row.training_seconds = 2.5;
    row.exchange_seconds = 0.5;
    row.data_seconds = 0.25;
    row.evaluation_seconds = 0.5;
    row.images_per_second = 400.0;
    return row;
}

}  // namespace

storage::RunDetails queued_run(const std::string& name) {
    storage::RunDetails details;
    details.run = row_of(name, 1);
    return details;
}

storage::RunDetails finished_run(const std::string& name, std::int64_t seed, double test_accuracy) {
    storage::RunDetails details;
    details.run = row_of(name, seed);
    const std::string& run = details.run.run;
    details.run.state = storage::RunState::finished;
    for (int epoch = 1; epoch <= 10; ++epoch) details.epochs.push_back(epoch_of(run, epoch));
    details.metrics = {{run, "test_loss", 0.5},
                       {run, "test_accuracy", test_accuracy},
                       {run, "test_count", 100.0},
                       {run, "weights_epoch", 10.0}};
    storage::AttemptRow attempt;
    attempt.run = run;
    attempt.attempt = 1;
    attempt.host = "node07";
    attempt.ranks = 4;
    attempt.outcome = "finished";
    details.attempts = {attempt};
    return details;
}

storage::RunDetails with_setting(storage::RunDetails run, const std::string& key,
                                 const std::string& value) {
    std::string& config = run.run.effective_config;
    config.insert(config.find("train.batch_size"), key + " = " + value + "  # my.toml:5\n");
    return run;
}

std::vector<std::string> RowsSource::ids() const {
    std::vector<std::string> ids;
    for (const storage::RunDetails& each : rows_) ids.push_back(each.run.run);
    return ids;
}

void RowsSource::put_predictions(const std::string& run, std::size_t right, std::size_t samples) {
    storage::Predictions predictions;
    predictions.class_names = {"cat", "dog"};
    predictions.labels.assign(samples, 0);
    for (std::size_t i = 0; i < samples; ++i) {
        const float confidence = i < right ? 0.75f : 0.25f;
        predictions.probabilities.insert(predictions.probabilities.end(),
                                         {confidence, 1.0f - confidence});
    }
    predictions.image_height = predictions.image_width = 2;
    predictions.image_samples = {0};
    predictions.images.assign(12, 200);
    predictions_.emplace_back(run, std::move(predictions));
}

void RowsSource::put_predictions(const std::string& run, storage::Predictions predictions) {
    predictions_.emplace_back(run, std::move(predictions));
}

storage::RunDetails RowsSource::details(const std::string& run) const {
    return *std::ranges::find_if(rows_, [&](const auto& each) { return each.run.run == run; });
}

std::optional<storage::Predictions> RowsSource::predictions(const RunFigures& run) const {
    const auto found = std::ranges::find(predictions_, run.run.run,
                                         &std::pair<std::string, storage::Predictions>::first);
    if (found == predictions_.end()) return std::nullopt;
    return found->second;
}

std::optional<storage::NamedArray> RowsSource::filters(const RunFigures& run) const {
    if (!run.is_finished()) return std::nullopt;
    return storage::NamedArray{"conv2d", "kernel", {1, 1, 3, 2}, {0, 1, 2, 3, 4, 5}};
}

std::vector<SummaryLine> RowsSource::summary(const RunFigures&) const {
    return {{"dense", "Dense", "(None, 2)", 1234, 5678}};
}

std::vector<storage::StepStretch> RowsSource::steps(const RunFigures& run) const {
    std::vector<storage::StepStretch> all;
    for (const EpochFigures& epoch : run.epochs) {
        all.push_back({(epoch.epoch - 1) * 32, 32, epoch.loss, 0.5 * epoch.loss, 2 * epoch.loss});
    }
    return all;
}

ExperimentReport report_of(const RowsSource& source, const std::string& title) {
    storage::ExperimentRow experiment{"imagined", title, "my.toml", "f0",
                                      "2026-03-01T12:00:00.000Z"};
    ExperimentReport report = make_report(experiment, {source.ids(), {}}, source);
    report.written_utc = "2026-03-01T13:00:00.000Z";
    report.lockstep_version = "0.1.0";
    return report;
}

}  // namespace lockstep::reports
