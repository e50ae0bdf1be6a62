#include "pipeline/store/report_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <sstream>

#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/store/store_reading.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// The file of an artifact; none if the run has none of this kind.
const storage::ArtifactRow* artifact_of(const reports::RunFigures& run, std::string_view kind) {
    const auto found = std::ranges::find(run.artifacts, kind, &storage::ArtifactRow::kind);
    return found == run.artifacts.end() ? nullptr : &*found;
}

// A file that is another one than the database tells of belongs to another attempt, or is damaged.
void check_size(const fs::path& path, const storage::ArtifactRow& artifact) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (!error && static_cast<std::int64_t>(bytes) == artifact.bytes) return;
    throw storage::StorageError(storage::StorageError::Kind::bad_data,
                                fmt::format("{} is {} the one that the run database knows",
                                            artifact.path, error ? "missing, or not" : "not"));
}

std::vector<reports::SummaryLine> inferred_summary(const reports::RunFigures& run) {
    SpecOptions options;
    options.file = "effective.toml";
    const Plan plan = plan_experiment(run.run.effective_config, options);
    std::vector<reports::SummaryLine> lines;
    for (const trainer::LayerShape& layer : plan.runs.at(0).run.architecture.layers) {
        lines.push_back({layer.name, layer.class_name, trainer::to_string(layer.output),
                         layer.parameter_count(), layer.flops});
    }
    return lines;
}

// "Conv2D conv2d_1 (None, 30, 30, 32)", a line a layer, the input first.
std::vector<reports::SummaryLine> stored_summary(const reports::RunFigures& run) {
    std::vector<reports::SummaryLine> lines;
    std::istringstream text(run.run.architecture);
    for (std::string line; std::getline(text, line);) {
        std::istringstream words(line);
        reports::SummaryLine summary;
        words >> summary.class_name;
        if (summary.class_name != "Input") words >> summary.layer;
        std::getline(words >> std::ws, summary.output_shape);
        lines.push_back(std::move(summary));
    }
    return lines;
}

bool is_convolution_kernel(const storage::NamedArray& array) {
    return array.name == "kernel" && array.shape.size() == 4;
}

}  // namespace

storage::RunDetails StoredReportSource::details(const std::string& run) const {
    return details_of(database_, run);
}

std::optional<storage::Predictions> StoredReportSource::predictions(
    const reports::RunFigures& run) const {
    const auto* artifact = artifact_of(run, storage::kPredictionsArtifact);
    if (artifact == nullptr) return std::nullopt;
    const fs::path path = store_.run_files(run.run.run).predictions;
    check_size(path, *artifact);
    return storage::read_predictions(path);
}

std::optional<storage::NamedArray> StoredReportSource::filters(
    const reports::RunFigures& run) const {
    const auto* artifact = artifact_of(run, storage::kFinalArtifact);
    if (artifact == nullptr) return std::nullopt;
    const fs::path path = store_.run_files(run.run.run).final_weights;
    check_size(path, *artifact);
    storage::NamedArrays weights = storage::read_weights(path);
    const auto kernel = std::ranges::find_if(weights, is_convolution_kernel);
    if (kernel == weights.end()) return std::nullopt;
    return std::move(*kernel);
}

std::vector<reports::SummaryLine> StoredReportSource::summary(
    const reports::RunFigures& run) const {
    try {
        return inferred_summary(run);
    } catch (const std::exception&) {
        return stored_summary(run);
    }
}

std::vector<storage::StepStretch> StoredReportSource::steps(const reports::RunFigures& run) const {
    return database_.step_stretches(run.run.run, reports::kStepPoints);
}

}  // namespace lockstep::pipeline
