#include "pipeline/recording/run_rows.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string_view>
#include <variant>

#include "pipeline/planning/effective_config.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/settings/words.hpp"
#include "reports/figures/run_settings.hpp"
#include "storage/files/process_life.hpp"
#include "storage/files/this_host.hpp"
#include "storage/files/utc_time.hpp"
#include "trainer/augmentation/augmentation_grid.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kStoredImages = 25;  // the first ones, and as many mistakes

std::string scheduler_job() {
    for (const char* name : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"}) {
        if (const char* id = std::getenv(name)) return id;
    }
    return {};
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

// A line a layer: "Conv2D conv2d_1 (None, 30, 30, 32)".
std::string architecture_text(const trainer::Architecture& architecture) {
    std::string text = "Input " + trainer::to_string(architecture.input);
    for (const trainer::LayerShape& layer : architecture.layers) {
        text += fmt::format("\n{} {} {}", layer.class_name, layer.name,
                            trainer::to_string(layer.output));
    }
    return text;
}

constexpr std::size_t kColors = 3;  // of a stored image; grey ones have the same three times

// From planes [channels, height, width] to pixels [height, width, 3].
void append_image(const trainer::SampleSet& samples, std::size_t sample,
                  const trainer::Shape& shape, std::vector<std::uint8_t>& images) {
    const auto plane =
        static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width);
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::uint8_t* pixels = samples.pixels_of(sample, plane * channels);
    for (std::size_t place = 0; place < plane; ++place) {
        for (std::size_t c = 0; c < kColors; ++c)
            images.push_back(pixels[std::min(c, channels - 1) * plane + place]);
    }
}

struct Mistake {
    std::uint32_t sample = 0;
    float confidence = 0.0f;  // of the wrong class
};

// Most confident first; equals in the order of samples.
std::vector<Mistake> mistakes_of(const storage::Predictions& predictions) {
    std::vector<Mistake> mistakes;
    const std::size_t classes = predictions.class_names.size();
    for (std::size_t sample = 0; sample < predictions.labels.size(); ++sample) {
        const float* row = predictions.probabilities.data() + sample * classes;
        const float* top = std::max_element(row, row + classes);
        if (top - row == predictions.labels[sample] || !std::isfinite(*top)) continue;
        mistakes.push_back({static_cast<std::uint32_t>(sample), *top});
    }
    std::ranges::stable_sort(mistakes, std::ranges::greater{}, &Mistake::confidence);
    return mistakes;
}

// The first ones, then those of the most confident mistakes that are not among them.
std::vector<std::uint32_t> shown_samples(const storage::Predictions& predictions) {
    const auto first =
        static_cast<std::uint32_t>(std::min(kStoredImages, predictions.labels.size()));
    std::vector<std::uint32_t> samples(first);
    std::iota(samples.begin(), samples.end(), 0u);
    std::vector<Mistake> mistakes = mistakes_of(predictions);
    mistakes.resize(std::min(mistakes.size(), kStoredImages));
    for (const Mistake& mistake : mistakes) {
        if (mistake.sample >= first) samples.push_back(mistake.sample);
    }
    return samples;
}

// Images of other sizes would make pages that nobody loads.
constexpr std::int64_t kMostPixelsOfPictures = 128 * 128;

storage::Picture augmentation_picture(const trainer::RunConfig& config,
                                      const trainer::RunData& data) {
    constexpr int kImages = 3, kEpochs = 8;
    const bool is_small =
        std::int64_t{data.shape.height} * data.shape.width <= kMostPixelsOfPictures;
    if (config.data.augmentation.empty() || !is_small) return {};
    trainer::AugmentationGrid grid = trainer::augmentation_grid(
        data.training, data.shape, config.data.augmentation, config.train.seed, kImages, kEpochs);
    return {grid.height, grid.width, std::move(grid.pixels)};
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
    row.dataset = config.data.dataset;
    row.architecture = architecture_text(planned.run.architecture);
    row.optimizer = optimizer_word(config.train.optimizer);
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
    row.settings = reports::settings_json(reports::run_settings(row.effective_config));
    row.design_name = planned.run.design_name;
    row.design_digest = design_digest(planned.effective);
    row.initial_weights_sha256 = planned.run.initial_weights_sha256;
    return row;
}

storage::AttemptRow attempt_row(const RunSetting& setting) {
    const trainer::ComputeEnvironment& environment = setting.environment;
    storage::AttemptRow row;
    row.host = storage::host_name();
    row.boot_id = storage::boot_id();
    row.pid = ::getpid();
    row.job_id = scheduler_job();
    row.ranks = setting.ranks;
    row.lockstep_version = lockstep_version();
    row.onednn_version = environment.onednn_version;
    row.mpi_version = environment.mpi_version;
    row.isa = environment.isa;
    row.simd_target = environment.simd_target;
    row.started_utc = storage::utc_now();
    row.pid_namespace = storage::pid_namespace();
    row.process_start = storage::process_start(::getpid());
    row.job_token = setting.job_token;
    row.lease_seconds = static_cast<int>(lease_length().count());
    return row;
}

storage::EpochRow epoch_row(const std::string& run, int attempt,
                            const trainer::EpochRecord& epoch) {
    storage::EpochRow row;
    row.run = run;
    row.epoch = epoch.epoch;
    row.attempt = attempt;
    row.steps = epoch.steps;
    row.loss = epoch.training.loss;
    row.accuracy = epoch.training.accuracy;
    row.training_count = epoch.training.count;
    if (epoch.validation) {
        row.val_loss = epoch.validation->loss;
        row.val_accuracy = epoch.validation->accuracy;
        row.validation_count = epoch.validation->count;
        row.val_top_5_accuracy = epoch.validation->top_5_accuracy;
    }
    row.learning_rate = epoch.learning_rate;
    row.weights_digest = epoch.weights_digest;
    row.epoch_seconds = epoch.epoch_seconds;
    row.training_seconds = epoch.training_seconds;
    row.exchange_seconds = epoch.exchange_seconds;
    row.data_seconds = epoch.data_seconds;
    row.evaluation_seconds = epoch.evaluation_seconds;
    row.images_per_second = epoch.images_per_second;
    row.stopped_seconds = epoch.stopped_seconds;
    row.finished_utc = storage::utc_now();
    return row;
}

std::vector<storage::MetricRow> final_metrics(const std::string& run,
                                              const trainer::TrainOutcome& outcome,
                                              const std::vector<storage::EpochRow>& epochs) {
    std::vector<storage::MetricRow> rows{
        {run, "test_loss", outcome.test.loss},
        {run, "test_accuracy", outcome.test.accuracy},
        {run, "test_count", static_cast<double>(outcome.test.count)},
        {run, "weights_epoch", static_cast<double>(outcome.weights_epoch)}};
    if (outcome.test.top_5_accuracy)
        rows.push_back({run, "test_top_5_accuracy", *outcome.test.top_5_accuracy});
    const storage::EpochRow* best_accuracy = nullptr;
    const storage::EpochRow* best_loss = nullptr;
    for (const storage::EpochRow& row : epochs) {  // a NaN is never better
        if (!row.val_accuracy || !row.val_loss || std::isnan(*row.val_loss)) continue;
        if (!best_accuracy || *row.val_accuracy > *best_accuracy->val_accuracy)
            best_accuracy = &row;
        if (!best_loss || *row.val_loss < *best_loss->val_loss) best_loss = &row;
    }
    if (best_accuracy != nullptr) {
        rows.push_back({run, "best_val_accuracy", *best_accuracy->val_accuracy});
        rows.push_back({run, "best_epoch", static_cast<double>(best_accuracy->epoch)});
        rows.push_back({run, "best_val_loss", *best_loss->val_loss});
    }
    return rows;
}

std::string doubts_of(const trainer::TrainOutcome& outcome,
                      const std::vector<storage::EpochRow>& epochs) {
    const auto text = [](double loss) {  // a NaN may have a sign, which means nothing
        return std::isnan(loss) ? std::string("nan") : fmt::format("{}", loss);
    };
    std::string words;
    if (!std::isfinite(outcome.test.loss)) words = "test loss " + text(outcome.test.loss);
    const auto is_doubtful = [](const storage::EpochRow& row) {
        return row.val_loss && !std::isfinite(*row.val_loss);
    };
    const auto first = std::ranges::find_if(epochs, is_doubtful);
    if (first != epochs.end())
        words +=
            fmt::format("{}val_loss {} in {} of {} epochs (first in epoch {})",
                        words.empty() ? "" : ", ", text(*first->val_loss),
                        std::ranges::count_if(epochs, is_doubtful), epochs.size(), first->epoch);
    return words.empty() ? "" : words + ": what is predicted from no numbers means nothing";
}

storage::Predictions predictions_of(const trainer::RunConfig& config, const trainer::RunData& data,
                                    const trainer::TrainOutcome& outcome) {
    storage::Predictions predictions;
    predictions.class_names = data.class_names;
    predictions.labels = data.test.labels;
    predictions.probabilities = outcome.test_probabilities;
    predictions.image_height = data.shape.height;
    predictions.image_width = data.shape.width;
    predictions.image_samples = shown_samples(predictions);
    for (const std::uint32_t sample : predictions.image_samples) {
        append_image(data.test, sample, data.shape, predictions.images);
    }
    predictions.augmentation = augmentation_picture(config, data);
    return predictions;
}

}  // namespace lockstep::pipeline
