// [train] and [checkpoint] (sections.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "pipeline/experiment/sections.hpp"
#include "pipeline/experiment/train_tables.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {
namespace {

constexpr RealRange kMinutes{0.0, 1e6, false, true};
constexpr int kMostBatch = 1'000'000;

// A table that may be "none": null if it is, or if it is absent.
const Value* optional_table(const Table& table, std::string_view key, ReadContext context) {
    const Value* value = table.find(key);
    if (value)
        context.origins[(key == "checkpoint" ? "" : "train.") + std::string(key)] =
            label_of(value->origin);
    if (!value || value->as<Table>()) return value;
    const auto* word = value->as<std::string>();
    const bool is_none = word && *word == "none";
    if (!is_none && !value->as<Unusable>()) {
        context.problems.add(value->origin, fmt::format("{} must be a table or \"none\", not {}",
                                                        key, described(*value)));
    }
    return nullptr;
}

std::optional<trainer::EarlyStoppingConfig> read_early_stopping(const Table& train,
                                                                const EpochFigures& figures,
                                                                ReadContext context) {
    const Value* value = optional_table(train, "early_stopping", context);
    if (!value) return std::nullopt;
    TableReader reader(*value->as<Table>(), "train.early_stopping.", KeyGroup::early_stopping,
                       context);
    trainer::EarlyStoppingConfig config;
    config.monitor = read_monitor(reader, value->origin, figures);
    const RealRange improvements{0.0, 1e6, true, true, Precision::float64};  // figures are doubles
    config.monitor.min_delta = reader.real("min_delta", improvements).value_or(0.0);
    config.patience = reader.count("patience", 0, 1'000'000).value_or(0);
    config.restore_best_weights = reader.truth("restore_best_weights").value_or(false);
    return config;
}

// A table that says no more than how often a checkpoint is made does not ask for the best epoch,
// nor does the monitor "none".
void read_checkpoint(const Table& settings, const EpochFigures& figures, ReadContext context,
                     trainer::TrainConfig& config) {
    const Value* value = optional_table(settings, "checkpoint", context);
    if (!value) return;
    const Table& table = *value->as<Table>();
    TableReader reader(table, "checkpoint.", KeyGroup::checkpoint, context);
    config.checkpoint_minutes =
        reader.real("every_minutes", kMinutes).value_or(config.checkpoint_minutes);
    const Value* monitor = table.find("monitor");
    const auto* word = monitor ? monitor->as<std::string>() : nullptr;
    const bool is_alone = reader.has("every_minutes") && table.entries().size() == 1;
    if (is_alone || (word && *word == "none")) return;
    trainer::CheckpointConfig best;
    best.monitor = read_monitor(reader, value->origin, figures);
    best.restore_best_weights = reader.truth("restore_best_weights").value_or(false);
    config.checkpoint = best;
}

// Where the classes are not known, which is a problem of its own, none is made of their number.
EpochFigures figures_of(const DataSection& data) {
    const bool has_validation =
        !std::holds_alternative<trainer::NoValidation>(data.config.validation);
    const std::size_t classes = data.class_names.size();
    return {has_validation, classes == 0 || classes > std::size_t{trainer::kTopClasses}};
}

std::optional<std::int64_t> read_steps_per_epoch(TableReader& reader) {
    const Value* value = reader.find("steps_per_epoch");
    const auto* word = value ? value->as<std::string>() : nullptr;
    if (word && *word == "all") return std::nullopt;
    return reader.whole("steps_per_epoch", {1, kMostCount});
}

// The rate at the end of training, where a schedule lets it grow.
double grown_rate(const trainer::TrainConfig& config) {
    const double epochs = config.epochs;
    const auto& shape = config.schedule.shape;
    double growth = 1.0;
    if (const auto* step = std::get_if<trainer::StepSchedule>(&shape)) {
        growth = std::pow(step->factor, std::ceil(epochs / step->every_epochs) - 1.0);
    }
    if (const auto* exponential = std::get_if<trainer::ExponentialSchedule>(&shape)) {
        growth = std::pow(exponential->factor, epochs / exponential->every_epochs);
    }
    return config.optimizer.learning_rate * growth;
}

void refuse_infinite_rate(const Table& train, const trainer::TrainConfig& config,
                          Problems& problems) {
    if (std::isfinite(static_cast<float>(grown_rate(config)))) return;
    problems.add(train.find("schedule")->origin,
                 fmt::format("by epoch {} the learning rate grows beyond all numbers of float32",
                             config.epochs));
}

// They are digested when the file is read, and held in memory.
void refuse_too_large(const std::filesystem::path& weights, const Origin& origin,
                      Problems& problems) {
    constexpr std::uintmax_t kLargestWeights = std::uintmax_t{8} << 30;  // bytes
    std::error_code unreadable;                                          // told by the plan
    const std::uintmax_t size = std::filesystem::file_size(weights, unreadable);
    if (unreadable || size <= kLargestWeights) return;
    problems.add(origin, fmt::format("the weights file has {} bytes; at most {} are read", size,
                                     kLargestWeights));
}

}  // namespace

trainer::TrainConfig read_train(const Table& settings, const DataSection& data,
                                const PathContext& paths, ReadContext context) {
    const Table& table = table_at(settings, "train", context);
    TableReader reader(table, "train.", KeyGroup::train, context);
    const EpochFigures figures = figures_of(data);
    trainer::TrainConfig config;
    config.batch_size = reader.count("batch_size", 1, kMostBatch).value_or(config.batch_size);
    config.epochs = reader.count("epochs", 0, INT32_MAX).value_or(config.epochs);
    config.steps_per_epoch = read_steps_per_epoch(reader);
    config.shuffle = reader.truth("shuffle").value_or(config.shuffle);
    if (const auto seed = reader.whole("seed", kSeeds))
        config.seed = static_cast<std::uint64_t>(*seed);
    config.record_steps = reader.truth("record_steps").value_or(config.record_steps);
    if (const auto weights = reader.bytes("initial_weights"); weights && !weights->empty()) {
        const Origin& origin = reader.find("initial_weights")->origin;
        config.initial_weights = resolved_path(*weights, origin, paths, context.problems);
        refuse_too_large(config.initial_weights, origin, context.problems);
    }
    config.label_smoothing = reader.real("label_smoothing", {0.0, 1.0, true, false}).value_or(0.0);
    config.class_weights = read_class_weights(reader, data.class_names);
    config.optimizer = read_optimizer(table, config.epochs, context);
    config.schedule = read_schedule(table, {config.epochs, figures}, context);
    refuse_infinite_rate(table, config, context.problems);
    config.early_stopping = read_early_stopping(table, figures, context);
    read_checkpoint(settings, figures, context, config);
    return config;
}

}  // namespace lockstep::pipeline
