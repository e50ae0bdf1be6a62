// [train] schedule, and monitors (train_tables.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "pipeline/experiment/train_tables.hpp"
#include "pipeline/settings/named_keys.hpp"

namespace lockstep::pipeline {
namespace {

constexpr RealRange kEpochSpans{0.0, 1e6, false, true};
constexpr RealRange kFactors{0.0, 10.0, false, true};
constexpr RealRange kParts{0.0, 1.0};
constexpr NamedKeys kConstant{"constant", KeyGroup::schedule_constant};  // the default
constexpr std::array<NamedKeys, 7> kSchedules{
    {kConstant,
     {"step", KeyGroup::schedule_step},
     {"exponential", KeyGroup::schedule_exponential},
     {"cosine", KeyGroup::schedule_cosine},
     {"piecewise", KeyGroup::schedule_piecewise},
     {"one_cycle", KeyGroup::schedule_one_cycle},
     {"reduce_on_plateau", KeyGroup::schedule_reduce_on_plateau}}};
constexpr NamedTableKind kSchedule{"schedule", kSchedules, kConstant,
                                   "\"cosine\" or { name = \"cosine\", warmup_epochs = 1 }"};
constexpr std::string_view kTop5 = "val_top_5_accuracy";
constexpr std::array<std::string_view, 5> kMonitors{"loss", "accuracy", "val_loss", "val_accuracy",
                                                    kTop5};

trainer::PiecewiseSchedule read_piecewise(TableReader& reader, const Value& holder) {
    trainer::PiecewiseSchedule pieces;
    for (const char* key : {"epochs", "factors"})
        if (!reader.has(key))
            reader.problem(holder, fmt::format("a piecewise schedule needs {} = [...]", key));
    const auto epochs = reader.reals("epochs", {0.0, 1e6});
    const auto factors = reader.reals("factors", kFactors);
    if (!epochs || !factors) return pieces;
    const Value& list = *reader.find("epochs");
    if (epochs->size() != factors->size() || epochs->empty())
        reader.problem(list, fmt::format("epochs and factors must have as many numbers, at least "
                                         "one: here are {} epochs and {} factors",
                                         epochs->size(), factors->size()));
    else if (std::ranges::adjacent_find(*epochs, std::greater_equal<>()) != epochs->end())
        reader.problem(list, "epochs must be ascending: each factor holds from its epoch on");
    else
        pieces = {*epochs, *factors};
    return pieces;
}

trainer::OneCycleSchedule read_one_cycle(TableReader& reader, double all_epochs) {
    trainer::OneCycleSchedule cycle;
    cycle.over_epochs = reader.real("over_epochs", {0.0, 1e10, false}).value_or(all_epochs);
    cycle.start_factor = reader.real("start_factor", kParts).value_or(cycle.start_factor);
    cycle.peak_at = reader.real("peak_at", kParts).value_or(cycle.peak_at);
    cycle.final_factor = reader.real("final_factor", kParts).value_or(cycle.final_factor);
    return cycle;
}

trainer::PlateauSchedule read_plateau(TableReader& reader, const Origin& holder,
                                      const EpochFigures& figures) {
    trainer::PlateauSchedule plateau;
    plateau.monitor = read_monitor(reader, holder, figures);
    const RealRange improvements{0.0, 1e6, true, true, Precision::float64};  // figures are doubles
    plateau.monitor.min_delta = reader.real("min_delta", improvements).value_or(1e-4);
    plateau.factor = reader.real("factor", {0.0, 1.0, false, false}).value_or(plateau.factor);
    plateau.patience = reader.count("patience", 0, 1'000'000).value_or(plateau.patience);
    plateau.cooldown = reader.count("cooldown", 0, 1'000'000).value_or(plateau.cooldown);
    plateau.min_learning_rate =
        reader.real("min_learning_rate", {0.0, 100.0}).value_or(plateau.min_learning_rate);
    return plateau;
}

}  // namespace

trainer::ScheduleConfig read_schedule(const Table& train, const ScheduleContext& run,
                                      ReadContext context) {
    trainer::ScheduleConfig schedule;
    const auto [table, named] = read_named_table(train, kSchedule, context);
    if (named == nullptr) return schedule;
    TableReader reader(table, "train.schedule.", named->keys, context);
    const double all_epochs = std::max(run.epochs, 1);
    schedule.warmup_epochs = reader.real("warmup_epochs", {0.0, 1e6}).value_or(0.0);
    if (named->keys == KeyGroup::schedule_step) {
        schedule.shape =
            trainer::StepSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                  reader.real("factor", kFactors).value_or(0.1)};
    } else if (named->keys == KeyGroup::schedule_exponential) {
        schedule.shape =
            trainer::ExponentialSchedule{reader.real("every_epochs", kEpochSpans).value_or(1.0),
                                         reader.real("factor", kFactors).value_or(0.9)};
    } else if (named->keys == KeyGroup::schedule_piecewise) {
        schedule.shape = read_piecewise(reader, *train.find("schedule"));
    } else if (named->keys == KeyGroup::schedule_one_cycle) {
        schedule.shape = read_one_cycle(reader, all_epochs);
    } else if (named->keys == KeyGroup::schedule_reduce_on_plateau) {
        schedule.shape = read_plateau(reader, train.find("schedule")->origin, run.figures);
    } else if (named->keys == KeyGroup::schedule_cosine) {
        schedule.shape = trainer::CosineSchedule{
            reader.real("over_epochs", {0.0, 1e10, false}).value_or(all_epochs),
            reader.real("final_factor", {0.0, 1.0}).value_or(0.0)};
    }
    return schedule;
}

trainer::MonitorConfig read_monitor(TableReader& reader, const Origin& holder,
                                    const EpochFigures& figures) {
    trainer::MonitorConfig monitor;
    monitor.metric = "val_loss";
    const auto index = reader.choice_of("monitor", kMonitors);
    if (index) monitor.metric = kMonitors[*index];
    const bool is_known = index || !reader.has("monitor");
    if (is_known && monitor.metric.starts_with("val_") && !figures.has_validation) {
        const bool is_written = reader.has("monitor");
        reader.context().problems.add(
            is_written ? reader.find("monitor")->origin : holder,
            fmt::format(
                "monitor {}, which needs validation, and there is none: set data.validation, or "
                "monitor = \"loss\" or \"accuracy\"",
                is_written ? fmt::format("= \"{}\"", monitor.metric)
                           : fmt::format("is \"{}\" by default", monitor.metric)));
    }
    if (monitor.metric == kTop5 && figures.has_validation && !figures.has_top_5)
        reader.problem(*reader.find("monitor"),
                       "val_top_5_accuracy needs more than five classes: among five it is 1");
    constexpr std::array<std::string_view, 3> kModes{"auto", "min", "max"};
    const std::size_t mode = reader.choice_of("mode", kModes).value_or(0);
    const bool is_accuracy = monitor.metric.ends_with("accuracy");
    const bool is_max = mode == 0 ? is_accuracy : kModes[mode] == "max";
    monitor.mode = is_max ? trainer::MonitorMode::max : trainer::MonitorMode::min;
    return monitor;
}

}  // namespace lockstep::pipeline
