// [train] schedule, and monitors (train_tables.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipeline/experiment/train_tables.hpp"

namespace lockstep::pipeline {
namespace {

constexpr RealRange kEpochSpans{0.0, 1e6, false, true};
constexpr RealRange kFactors{0.0, 10.0, false, true};
constexpr std::array<NamedKeys, 4> kSchedules{{{"constant", KeyGroup::schedule_constant},
                                               {"step", KeyGroup::schedule_step},
                                               {"exponential", KeyGroup::schedule_exponential},
                                               {"cosine", KeyGroup::schedule_cosine}}};
constexpr std::array<std::string_view, 4> kMonitors{"loss", "accuracy", "val_loss", "val_accuracy"};

}  // namespace

trainer::ScheduleConfig read_schedule(const Table& train, const ScheduleContext& run,
                                      ReadContext context) {
    const std::string prefix = "train.schedule.";
    const Table& table = table_at(train, "schedule", context);
    trainer::ScheduleConfig schedule;
    const NamedKeys* named = read_name(table, prefix, kSchedules, "constant", context);
    if (named == nullptr) return schedule;
    TableReader reader(table, prefix, named->keys, context);
    schedule.warmup_epochs = reader.real("warmup_epochs", {0.0, 1e6}).value_or(0.0);
    if (named->keys == KeyGroup::schedule_step) {
        schedule.shape =
            trainer::StepSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                  reader.real("factor", kFactors).value_or(0.1)};
    } else if (named->keys == KeyGroup::schedule_exponential) {
        schedule.shape =
            trainer::ExponentialSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                         reader.real("factor", kFactors).value_or(0.9)};
    } else if (named->keys == KeyGroup::schedule_cosine) {
        const double all_epochs = std::max(run.epochs, 1);
        schedule.shape = trainer::CosineSchedule{
            reader.real("over_epochs", {0.0, 1e10, false}).value_or(all_epochs),
            reader.real("final_factor", {0.0, 1.0}).value_or(0.0)};
    }
    return schedule;
}

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

}  // namespace lockstep::pipeline
