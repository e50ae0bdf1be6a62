#include "pipeline/exporting/mlflow_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstddef>
#include <variant>

#include "pipeline/exporting/step_epochs.hpp"
#include "reports/figures/run_settings.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

using storage::MlflowPoint;
using storage::MlflowRun;
using storage::MlflowStatus;
using storage::RunDetails;
using storage::RunState;

MlflowStatus status_of(RunState state) {
    switch (state) {
        case RunState::queued:
            return MlflowStatus::scheduled;
        case RunState::running:
            return MlflowStatus::running;
        case RunState::finished:
            return MlflowStatus::finished;
        case RunState::interrupted:
            return MlflowStatus::killed;
        case RunState::failed:
            break;
    }
    return MlflowStatus::failed;
}

std::string text_of(const storage::Cell& cell) {
    struct Text {
        std::string operator()(std::monostate) const { return ""; }
        std::string operator()(const std::string& text) const { return text; }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(double number) const { return fmt::format("{}", number); }
    };
    return std::visit(Text{}, cell);
}

void add_epochs(MlflowRun& run, const std::vector<storage::EpochRow>& epochs) {
    for (const storage::EpochRow& row : epochs) {
        const auto add = [&](const char* name, double value) {
            run.metrics[name].push_back(
                {unix_milliseconds(row.finished_utc), value, std::int64_t{row.epoch} - 1});
        };
        add("loss", row.loss);
        add("accuracy", row.accuracy);
        if (row.val_loss) add("val_loss", *row.val_loss);
        if (row.val_accuracy) add("val_accuracy", *row.val_accuracy);
        if (row.val_top_5_accuracy) add("val_top_5_accuracy", *row.val_top_5_accuracy);
        add("learning_rate", row.learning_rate);
        add("epoch_seconds", row.epoch_seconds);
        add("images_per_second", row.images_per_second);
    }
}

void add_steps(MlflowRun& run, const std::vector<storage::EpochRow>& epochs,
               const std::vector<storage::StepRow>& steps) {
    const std::vector<const storage::EpochRow*> epoch_of = step_epochs(epochs, steps);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::int64_t time =
            epoch_of.empty() ? run.start_ms : unix_milliseconds(epoch_of[i]->finished_utc);
        run.metrics["batch_loss"].push_back({time, steps[i].loss, steps[i].step});
        run.metrics["batch_accuracy"].push_back({time, steps[i].accuracy, steps[i].step});
    }
}

void add_final_figures(MlflowRun& run, const RunDetails& details) {
    const std::int64_t step = details.epochs.empty() ? 0 : details.epochs.back().epoch - 1;
    for (const storage::MetricRow& metric : details.metrics)
        run.metrics[metric.name] = {{run.end_ms.value_or(run.start_ms), metric.value, step}};
}

std::string event_text(const RunDetails& details, std::string_view kind) {
    std::string text;  // the latest one's
    for (const storage::EventRow& event : details.events)
        if (event.kind == kind) text = event.text;
    return text;
}

// "commit 3f2a..., clean": what stands after the word.
std::string commit_of(std::string_view source) {
    constexpr std::string_view kWord = "commit ";
    if (!source.starts_with(kWord)) return "";
    source.remove_prefix(kWord.size());
    return std::string(source.substr(0, source.find(',')));
}

void add_tags(MlflowRun& run, const RunDetails& details) {
    const storage::RunRow& row = details.run;
    const std::string source = event_text(details, "source");
    run.tags = {{"mlflow.runName", row.name},
                {"mlflow.note.content", row.notes},
                {"mlflow.source.type", "LOCAL"},
                {"mlflow.source.name", event_text(details, "command")},
                {"mlflow.source.git.commit", commit_of(source)},
                {"lockstep.run", row.run},
                {"lockstep.state", std::string(to_string(row.state))},
                {"lockstep.tags", fmt::format("{}", fmt::join(details.tags, " "))},
                {"lockstep.title", row.title},
                {"lockstep.source", row.source},
                {"lockstep.experiment_file_commit", source},
                {"lockstep.design", row.design_name},
                {"lockstep.config_digest", row.config_digest},
                {"lockstep.data_digest", row.data_digest}};
    if (!details.attempts.empty()) {
        const storage::AttemptRow& attempt = details.attempts.back();
        run.tags["lockstep.version"] = attempt.lockstep_version;
        run.tags["lockstep.host"] = attempt.host;
        run.tags["lockstep.ranks"] = std::to_string(attempt.ranks);
        run.tags["lockstep.cause"] = attempt.cause;
    }
    std::erase_if(run.tags, [](const auto& tag) { return tag.second.empty(); });
}

}  // namespace

std::int64_t unix_milliseconds(std::string_view utc) {
    return std::llround(storage::unix_seconds(utc).value_or(0.0) * 1000.0);
}

MlflowRun mlflow_run(const std::string& experiment, const RunDetails& details,
                     const std::vector<storage::StepRow>& steps) {
    MlflowRun run{.id = storage::mlflow_run_id(experiment, details.run.run),
                  .experiment_id = storage::mlflow_experiment_id(experiment),
                  .name = details.run.name,
                  .status = status_of(details.run.state),
                  .start_ms = unix_milliseconds(details.run.created_utc)};
    if (!details.attempts.empty()) {
        run.start_ms = unix_milliseconds(details.attempts.front().started_utc);
        const std::string& end = details.attempts.back().finished_utc;
        if (!end.empty()) run.end_ms = unix_milliseconds(end);
    }
    for (const reports::RunSetting& setting : reports::run_settings(details.run.effective_config))
        run.params[setting.key] = text_of(setting.value);
    add_epochs(run, details.epochs);
    add_steps(run, details.epochs, steps);
    add_final_figures(run, details);
    add_tags(run, details);
    run.artifacts["effective.toml"] = details.run.effective_config;
    return run;
}

}  // namespace lockstep::pipeline
