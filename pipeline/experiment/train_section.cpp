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

namespace lockstep::pipeline {
namespace {

constexpr RealRange kLearningRates{0.0, 100.0, false, true};
constexpr RealRange kFractions{0.0, 1.0, true, false};  // momentum, beta, rho
constexpr RealRange kEpsilons{0.0, 1.0, false, true};
constexpr RealRange kEpochSpans{0.0, 1e6, false, true};
constexpr RealRange kFactors{0.0, 10.0, false, true};
constexpr RealRange kMinutes{0.0, 1e6, false, true};
constexpr int kMostBatch = 1'000'000;

constexpr std::array<std::string_view, 3> kOptimizers{"sgd", "adam", "rmsprop"};
constexpr std::array<std::string_view, 4> kSchedules{"constant", "step", "exponential", "cosine"};
constexpr std::array<std::string_view, 4> kMonitors{"loss", "accuracy", "val_loss", "val_accuracy"};

// Reads `name` of an optimizer or schedule, and says which group of keys the table has. Whoever
// finds the name wrong cannot know the other keys, so they are not looked at.
std::optional<std::size_t> read_name(const Table& table, const std::string& prefix, KeyGroup group,
                                     std::span<const std::string_view> names,
                                     std::string_view absent, ReadContext context) {
    Table name_only;
    if (const Value* name = table.find("name")) name_only.set("name", *name);
    TableReader reader(name_only, prefix, group, context);
    if (!reader.has("name")) {
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), absent) -
                                        names.begin());
    }
    return reader.choice_of("name", names);
}

KeyGroup nth_after(KeyGroup first, std::size_t n) {
    return static_cast<KeyGroup>(static_cast<std::size_t>(first) + n);
}

trainer::SgdConfig read_sgd(TableReader& reader) {
    trainer::SgdConfig sgd;
    sgd.momentum = reader.real("momentum", kFractions).value_or(sgd.momentum);
    sgd.nesterov = reader.truth("nesterov").value_or(sgd.nesterov);
    return sgd;
}

trainer::AdamConfig read_adam(TableReader& reader) {
    trainer::AdamConfig adam;
    adam.beta_1 = reader.real("beta_1", kFractions).value_or(adam.beta_1);
    adam.beta_2 = reader.real("beta_2", kFractions).value_or(adam.beta_2);
    adam.epsilon = reader.real("epsilon", kEpsilons).value_or(adam.epsilon);
    return adam;
}

trainer::RmspropConfig read_rmsprop(TableReader& reader) {
    trainer::RmspropConfig rmsprop;
    rmsprop.rho = reader.real("rho", kFractions).value_or(rmsprop.rho);
    rmsprop.momentum = reader.real("momentum", kFractions).value_or(rmsprop.momentum);
    rmsprop.epsilon = reader.real("epsilon", kEpsilons).value_or(rmsprop.epsilon);
    return rmsprop;
}

trainer::OptimizerConfig read_optimizer(const Table& train, ReadContext context) {
    const std::string prefix = "train.optimizer.";
    const Table& table = table_at(train, "optimizer", context);
    trainer::OptimizerConfig optimizer;
    const auto name =
        read_name(table, prefix, KeyGroup::optimizer_sgd, kOptimizers, "adam", context);
    if (!name) return optimizer;
    TableReader reader(table, prefix, nth_after(KeyGroup::optimizer_sgd, *name), context);
    const double default_rate = kOptimizers[*name] == "sgd" ? 0.01 : 0.001;  // Keras'
    optimizer.learning_rate = reader.real("learning_rate", kLearningRates).value_or(default_rate);
    if (kOptimizers[*name] == "sgd") optimizer.rule = read_sgd(reader);
    if (kOptimizers[*name] == "adam") optimizer.rule = read_adam(reader);
    if (kOptimizers[*name] == "rmsprop") optimizer.rule = read_rmsprop(reader);
    return optimizer;
}

trainer::ScheduleConfig read_schedule(const Table& train, int epochs, ReadContext context) {
    const std::string prefix = "train.schedule.";
    const Table& table = table_at(train, "schedule", context);
    trainer::ScheduleConfig schedule;
    const auto name =
        read_name(table, prefix, KeyGroup::schedule_constant, kSchedules, "constant", context);
    if (!name) return schedule;
    TableReader reader(table, prefix, nth_after(KeyGroup::schedule_constant, *name), context);
    schedule.warmup_epochs = reader.real("warmup_epochs", {0.0, 1e6}).value_or(0.0);
    if (kSchedules[*name] == "step") {
        schedule.shape =
            trainer::StepSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                  reader.real("factor", kFactors).value_or(0.1)};
    } else if (kSchedules[*name] == "exponential") {
        schedule.shape =
            trainer::ExponentialSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                         reader.real("factor", kFactors).value_or(0.9)};
    } else if (kSchedules[*name] == "cosine") {
        const double all_epochs = std::max(epochs, 1);
        schedule.shape = trainer::CosineSchedule{
            reader.real("over_epochs", {0.0, 1e10, false}).value_or(all_epochs),
            reader.real("final_factor", {0.0, 1.0}).value_or(0.0)};
    }
    return schedule;
}

// Watches val_loss, like Keras, unless the table says otherwise. A figure that does not exist is a
// problem at `monitor`, or, where that is not written, at the table itself (`holder`).
trainer::MonitorConfig read_monitor(TableReader& reader, const Origin& holder,
                                    bool has_validation) {
    trainer::MonitorConfig monitor;
    monitor.metric = "val_loss";
    const auto index = reader.choice_of("monitor", kMonitors);
    if (index) monitor.metric = kMonitors[*index];
    const bool is_known = index || !reader.has("monitor");
    if (is_known && monitor.metric.starts_with("val_") && !has_validation) {
        const bool is_written = reader.has("monitor");
        reader.context().problems.add(
            is_written ? reader.find("monitor")->origin : holder,
            fmt::format(
                "monitor {}, which needs validation, and there is none: set data.validation, or "
                "monitor = \"loss\" or \"accuracy\"",
                is_written ? fmt::format("= \"{}\"", monitor.metric)
                           : fmt::format("is \"{}\" by default", monitor.metric)));
    }
    constexpr std::array<std::string_view, 3> kModes{"auto", "min", "max"};
    const std::size_t mode = reader.choice_of("mode", kModes).value_or(0);
    const bool is_accuracy = monitor.metric.ends_with("accuracy");
    const bool is_max = mode == 0 ? is_accuracy : kModes[mode] == "max";
    monitor.mode = is_max ? trainer::MonitorMode::max : trainer::MonitorMode::min;
    return monitor;
}

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
                                                                bool has_validation,
                                                                ReadContext context) {
    const Value* value = optional_table(train, "early_stopping", context);
    if (!value) return std::nullopt;
    TableReader reader(*value->as<Table>(), "train.early_stopping.", KeyGroup::early_stopping,
                       context);
    trainer::EarlyStoppingConfig config;
    config.monitor = read_monitor(reader, value->origin, has_validation);
    const RealRange improvements{0.0, 1e6, true, true, Precision::float64};  // figures are doubles
    config.monitor.min_delta = reader.real("min_delta", improvements).value_or(0.0);
    config.patience = reader.count("patience", 0, 1'000'000).value_or(0);
    config.restore_best_weights = reader.truth("restore_best_weights").value_or(false);
    return config;
}

// A table that says no more than how often a checkpoint is made does not ask for the best epoch,
// nor does the monitor "none".
void read_checkpoint(const Table& settings, bool has_validation, ReadContext context,
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
    best.monitor = read_monitor(reader, value->origin, has_validation);
    best.restore_best_weights = reader.truth("restore_best_weights").value_or(false);
    config.checkpoint = best;
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

trainer::TrainConfig read_train(const Table& settings, const trainer::DataConfig& data,
                                const PathContext& paths, ReadContext context) {
    const Table& table = table_at(settings, "train", context);
    TableReader reader(table, "train.", KeyGroup::train, context);
    const bool has_validation = !std::holds_alternative<trainer::NoValidation>(data.validation);
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
    config.optimizer = read_optimizer(table, context);
    config.schedule = read_schedule(table, config.epochs, context);
    refuse_infinite_rate(table, config, context.problems);
    config.early_stopping = read_early_stopping(table, has_validation, context);
    read_checkpoint(settings, has_validation, context, config);
    return config;
}

}  // namespace lockstep::pipeline
