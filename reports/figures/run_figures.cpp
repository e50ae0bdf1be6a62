#include "reports/figures/run_figures.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/figures/test_set_of_run.hpp"

namespace lockstep::reports {
namespace {

using storage::EpochRow;
using storage::RunDetails;

std::optional<double> metric(const RunDetails& details, std::string_view name) {
    const auto found = std::ranges::find(details.metrics, name, &storage::MetricRow::name);
    if (found == details.metrics.end()) return std::nullopt;
    return found->value;
}

std::optional<std::int64_t> whole_metric(const RunDetails& details, std::string_view name) {
    const auto value = metric(details, name);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    return std::llround(*value);
}

enum class Better { higher, lower };

// What is predicted from a NaN may be right, and means nothing.
bool has_nan_loss(const EpochRow& row) { return row.val_loss && std::isnan(*row.val_loss); }

// Takes the next epoch's figure in; true if it is the best so far.
bool take(BestAndFinal& figure, double value, Better better) {
    figure.final = value;
    if (std::isnan(value)) return false;
    const bool is_best =
        !figure.best || (better == Better::higher ? value > *figure.best : value < *figure.best);
    if (is_best) figure.best = value;
    return is_best;
}

void add_epochs(const RunDetails& details, RunFigures& figures) {
    std::optional<int> best_training_epoch;
    double training_seconds = 0.0;
    std::int64_t samples = 0;
    for (const EpochRow& row : details.epochs) {
        figures.seconds += row.epoch_seconds;
        training_seconds += row.training_seconds;
        samples += row.training_count;
        figures.epochs.push_back({row.epoch, row.loss, row.accuracy, row.val_loss, row.val_accuracy,
                                  row.learning_rate, row.epoch_seconds, figures.seconds,
                                  row.images_per_second, row.stopped_seconds.value_or(0.0)});
        figures.stopped_seconds += row.stopped_seconds.value_or(0.0);
        take(figures.loss, row.loss, Better::lower);
        if (take(figures.accuracy, row.accuracy, Better::higher)) best_training_epoch = row.epoch;
        if (row.val_loss) take(figures.val_loss, *row.val_loss, Better::lower);
        if (row.val_accuracy && has_nan_loss(row))
            figures.val_accuracy.final = *row.val_accuracy;
        else if (row.val_accuracy && take(figures.val_accuracy, *row.val_accuracy, Better::higher))
            figures.best_epoch = row.epoch;
        figures.time.exchange += row.exchange_seconds;
        figures.time.data += row.data_seconds;
        figures.time.evaluation += row.evaluation_seconds;
    }
    if (!figures.val_accuracy.best) figures.best_epoch = best_training_epoch;
    if (training_seconds > 0.0) {
        figures.images_per_second = static_cast<double>(samples) / training_seconds;
    }
    // Clocks of their own: their sum may exceed the whole by a rounding.
    figures.time.compute =
        std::max(0.0, training_seconds - figures.time.exchange - figures.time.data);
}

void add_test(const RunDetails& details, RunFigures& figures) {
    figures.test_loss = metric(details, "test_loss");
    figures.test_accuracy = metric(details, "test_accuracy");
    figures.test_top_5_accuracy = metric(details, "test_top_5_accuracy");
    figures.test_count = whole_metric(details, "test_count");
    if (const auto epoch = whole_metric(details, "weights_epoch")) {
        figures.weights_epoch = static_cast<int>(*epoch);
    }
    if (!figures.test_accuracy || !figures.test_count) return;
    figures.test_right = proportion_of(*figures.test_accuracy, *figures.test_count);
    if (!figures.test_right || details.run.selected_on_test_set) return;
    figures.test_interval =
        wilson_interval(figures.test_right->successes, figures.test_right->trials);
}

}  // namespace

RunFigures run_figures(const RunDetails& details) {
    RunFigures figures;
    figures.run = details.run;
    figures.experiments = {details.experiments.begin(), details.experiments.end()};
    figures.experiments.insert(details.run.experiment);
    figures.config = config_values(details.run.effective_config);
    figures.design_name = design_name_of(details.run);
    figures.design = design_of(details.run);
    figures.unselected_settings =
        unselected_settings(figures.config, details.run.initial_weights_sha256);
    figures.test_set = test_set_of(details.run, figures.config);
    figures.test_views = std::string(text_in(value_of(figures.config, "data.test_views")));
    add_epochs(details, figures);
    add_test(details, figures);
    if (!details.attempts.empty()) figures.ranks = details.attempts.back().ranks;
    figures.attempts = details.attempts;
    figures.metrics = details.metrics;
    figures.artifacts = details.artifacts;
    figures.events = details.events;
    figures.tags = details.tags;
    return figures;
}

std::vector<double> printed_curve(const std::string& expected_json, std::string_view name) {
    const auto expected = nlohmann::json::parse(expected_json, nullptr, false);
    std::vector<double> curve;
    if (!expected.is_object() || !expected.contains(name)) return curve;
    const auto& values = expected.at(std::string(name));
    if (!values.is_array()) return curve;
    for (const auto& value : values) {
        if (value.is_number()) curve.push_back(value.get<double>());
    }
    return curve;
}

std::optional<double> seconds_to_accuracy(const RunFigures& run, double accuracy) {
    for (const EpochFigures& epoch : run.epochs) {
        if (epoch.val_accuracy && *epoch.val_accuracy >= accuracy) return epoch.elapsed_seconds;
    }
    return std::nullopt;
}

}  // namespace lockstep::reports
