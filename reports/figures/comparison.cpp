#include "reports/figures/comparison.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lockstep::reports {
namespace {

using storage::Cell;

std::optional<double> metric(const RunFacts& facts, std::string_view name) {
    for (const storage::MetricRow& row : facts.metrics) {
        if (row.name == name) return row.value;
    }
    return std::nullopt;
}

void add_best_validation(const RunFacts& facts, ComparedRun& compared) {
    for (const storage::EpochRow& row : facts.epochs) {
        if (!row.val_accuracy || (row.val_loss && std::isnan(*row.val_loss))) continue;
        // Written so that a NaN is never the best.
        if (compared.best_val_accuracy && !(*row.val_accuracy > *compared.best_val_accuracy)) {
            continue;
        }
        compared.best_val_accuracy = row.val_accuracy;
        compared.best_epoch = row.epoch;
    }
}

void add_times(const RunFacts& facts, ComparedRun& compared) {
    double training_seconds = 0.0;
    std::int64_t samples = 0;
    for (const storage::EpochRow& row : facts.epochs) {
        compared.seconds += row.epoch_seconds;
        training_seconds += row.training_seconds;
        samples += row.training_count;
    }
    if (training_seconds > 0.0) {
        compared.images_per_second = static_cast<double>(samples) / training_seconds;
    }
}

ComparedRun compare_one(const RunFacts& facts) {
    ComparedRun compared{.run = facts.run.run,
                         .name = facts.run.name,
                         .seed = facts.run.seed,
                         .state = facts.run.state,
                         .parameters = facts.run.parameters,
                         .epochs = static_cast<int>(facts.epochs.size()),
                         .epochs_planned = facts.run.epochs,
                         .test_accuracy = metric(facts, "test_accuracy"),
                         .test_loss = metric(facts, "test_loss"),
                         .printed = printed_figure(facts.run.expected),
                         .selected_on_test_set = facts.run.selected_on_test_set};
    add_best_validation(facts, compared);
    add_times(facts, compared);
    return compared;
}

template <class Value>
Cell cell(const std::optional<Value>& value) {
    if (!value) return std::monostate{};
    if constexpr (std::is_same_v<Value, int>)
        return std::int64_t{*value};
    else
        return *value;
}

// The last one of a list, or the number itself.
std::optional<double> last_number(const nlohmann::json& value) {
    const nlohmann::json& last = value.is_array() && !value.empty() ? value.back() : value;
    if (!last.is_number()) return std::nullopt;
    return last.get<double>();
}

}  // namespace

Comparison compare(const std::vector<RunFacts>& runs) {
    Comparison comparison;
    for (const RunFacts& facts : runs) comparison.runs.push_back(compare_one(facts));
    return comparison;
}

std::optional<PrintedFigure> printed_figure(const std::string& expected_json) {
    const auto expected = nlohmann::json::parse(expected_json, nullptr, false);
    if (!expected.is_object()) return std::nullopt;
    constexpr std::array kByWorth{"test_accuracy", "best_val_accuracy", "val_accuracy", "accuracy"};
    for (const char* name : kByWorth) {
        if (!expected.contains(name)) continue;
        if (const auto value = last_number(expected.at(name))) return PrintedFigure{*value, name};
    }
    return std::nullopt;
}

storage::Table results_table(const Comparison& comparison) {
    storage::Table table;
    table.columns = {
        "name",          "state",         "parameters",  "epochs",           "best_val_accuracy",
        "test_accuracy", "source_figure", "run_seconds", "images_per_second"};
    for (const ComparedRun& run : comparison.runs) {
        const bool has_trained = run.epochs > 0;
        table.rows.push_back(
            {run.name + (run.selected_on_test_set ? " *" : ""),
             std::string(storage::to_string(run.state)), run.parameters, std::int64_t{run.epochs},
             cell(run.best_val_accuracy), cell(run.test_accuracy),
             run.printed ? Cell(fmt::format("{:.4f} {}", run.printed->value, run.printed->metric))
                         : Cell(std::monostate{}),
             has_trained ? Cell(run.seconds) : Cell(std::monostate{}),
             has_trained ? Cell(run.images_per_second) : Cell(std::monostate{})});
    }
    return table;
}

}  // namespace lockstep::reports
