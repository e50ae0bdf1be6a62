#include "pipeline/exporting/tensorboard_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <variant>

#include "pipeline/exporting/step_epochs.hpp"
#include "pipeline/store/store_reading.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

using storage::EpochRow;
using storage::HparamsDataset;
using storage::HparamsStatus;
using storage::HparamValue;
using storage::RunDetails;
using storage::RunState;
using storage::ScalarEvent;

using Curves = std::map<std::string, std::vector<ScalarEvent>>;

double seconds(const std::string& utc) { return storage::unix_seconds(utc).value_or(0.0); }

void add_epochs(Curves& curves, const std::vector<EpochRow>& epochs) {
    for (const EpochRow& row : epochs) {
        const auto add = [&](const char* folder, const char* tag, double value) {
            curves[folder].push_back(
                {tag, row.epoch - 1, seconds(row.finished_utc), static_cast<float>(value)});
        };
        add("train", "epoch_loss", row.loss);
        add("train", "epoch_accuracy", row.accuracy);
        add("train", "epoch_learning_rate", row.learning_rate);
        if (row.val_loss) add("validation", "epoch_loss", *row.val_loss);
        if (row.val_accuracy) add("validation", "epoch_accuracy", *row.val_accuracy);
        if (row.val_top_5_accuracy)
            add("validation", "epoch_top_5_accuracy", *row.val_top_5_accuracy);
    }
}

void add_steps(Curves& curves, const std::vector<EpochRow>& epochs,
               const std::vector<storage::StepRow>& steps) {
    const std::vector<const EpochRow*> epoch_of = step_epochs(epochs, steps);
    for (std::size_t i = 0; i < epoch_of.size(); ++i) {
        const auto add = [&](const char* tag, double value) {
            curves["train"].push_back({tag, steps[i].step, seconds(epoch_of[i]->finished_utc),
                                       static_cast<float>(value)});
        };
        add("batch_loss", steps[i].loss);
        add("batch_accuracy", steps[i].accuracy);
    }
}

void add_test_figures(Curves& curves, const RunDetails& details) {
    if (details.epochs.empty()) return;
    const EpochRow& last = details.epochs.back();
    for (const storage::MetricRow& metric : details.metrics) {
        const char* tag = metric.name == "test_loss"             ? "epoch_loss"
                          : metric.name == "test_accuracy"       ? "epoch_accuracy"
                          : metric.name == "test_top_5_accuracy" ? "epoch_top_5_accuracy"
                                                                 : nullptr;
        if (tag == nullptr) continue;
        curves["test"].push_back(
            {tag, last.epoch - 1, seconds(last.finished_utc), static_cast<float>(metric.value)});
    }
}

std::string text_of(const HparamValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return fmt::format("{}", std::get<double>(value));
}

std::optional<HparamValue> value_of(const storage::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* real = std::get_if<double>(&cell)) return *real;
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
    return std::nullopt;
}

// The dashboard wants values of one kind: where texts are among them, all are.
void make_one_kind(std::vector<std::optional<HparamValue>>& column) {
    const auto is_text = [](const std::optional<HparamValue>& value) {
        return value && std::holds_alternative<std::string>(*value);
    };
    if (std::ranges::none_of(column, is_text)) return;
    for (auto& value : column)
        if (value) value = text_of(*value);
}

// Adds a setting whose values stand in the order of the rows' runs.
void add_hparam(RunHparams& result, const std::string& name, const std::string& description,
                std::vector<std::optional<HparamValue>> column,
                const std::vector<std::string>& runs) {
    make_one_kind(column);
    storage::Hparam hparam{name, description, {}};
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!column[i]) continue;
        result.by_run[runs[i]][name] = *column[i];
        if (std::ranges::find(hparam.values, *column[i]) == hparam.values.end())
            hparam.values.push_back(*column[i]);
    }
    std::ranges::sort(hparam.values);
    result.hparams.push_back(hparam);
}

}  // namespace

Curves tensorboard_curves(const RunDetails& details, const std::vector<storage::StepRow>& steps) {
    Curves curves;
    add_epochs(curves, details.epochs);
    add_steps(curves, details.epochs, steps);
    add_test_figures(curves, details);
    return curves;
}

std::vector<storage::HparamsMetric> tensorboard_metrics() {
    return {{"test", "epoch_accuracy", "test accuracy"},
            {"test", "epoch_loss", "test loss"},
            {"validation", "epoch_accuracy", "validation accuracy", HparamsDataset::validation},
            {"validation", "epoch_loss", "validation loss", HparamsDataset::validation},
            {"train", "epoch_accuracy", "training accuracy", HparamsDataset::training},
            {"train", "epoch_loss", "training loss", HparamsDataset::training}};
}

RunHparams run_hparams(reports::SettingsTable settings, const std::set<std::string>& runs) {
    storage::Table& table = settings.table;
    const std::size_t run_place = place_of(table, "run");
    std::erase_if(table.rows, [&](const auto& row) {
        return !runs.contains(std::get<std::string>(row[run_place]));
    });
    const std::vector<std::string> ids = texts_of(table, "run");
    const std::vector<std::string> designs = texts_of(table, "design_name");
    const std::vector<std::string> names = texts_of(table, "name");
    const std::vector<std::string> design_digests = texts_of(table, "design_digest");
    const std::vector<std::string> data_digests = texts_of(table, "data_digest");
    RunHparams result;
    std::vector<std::optional<HparamValue>> column;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::string& design = designs[i].empty() ? names[i] : designs[i];
        column.emplace_back(design);
        const std::string equal = design_digests[i].empty() ? ids[i] : design_digests[i];
        result.groups[ids[i]] =
            design + '-' + storage::sha256_hex(equal + data_digests[i]).substr(0, 8);
    }
    add_hparam(result, "design", "the run's name without its seed", column, ids);
    for (const std::string& key : reports::differing_settings(settings)) {
        const std::size_t place = place_of(table, key);
        column.clear();
        for (const auto& row : table.rows) column.push_back(value_of(row[place]));
        add_hparam(result, reports::short_name(settings, key), key, column, ids);
    }
    return result;
}

storage::HparamsSession tensorboard_session(const RunDetails& details, const RunHparams& hparams) {
    storage::HparamsSession session;
    const std::string& run = details.run.run;
    if (hparams.by_run.contains(run)) session.hparams = hparams.by_run.at(run);
    if (hparams.groups.contains(run)) session.group = hparams.groups.at(run);
    session.start_unix_time = seconds(
        details.attempts.empty() ? details.run.created_utc : details.attempts.front().started_utc);
    const bool is_open =
        details.run.state == RunState::running || details.run.state == RunState::queued;
    session.status = details.run.state == RunState::finished  ? HparamsStatus::success
                     : details.run.state == RunState::running ? HparamsStatus::running
                     : details.run.state == RunState::queued  ? HparamsStatus::unknown
                                                              : HparamsStatus::failure;
    if (!is_open && !details.attempts.empty())
        session.end_unix_time = storage::unix_seconds(details.attempts.back().finished_utc);
    return session;
}

}  // namespace lockstep::pipeline
