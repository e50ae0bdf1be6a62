#include "pipeline/verbs/show_sections.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "pipeline/progress/progress.hpp"
#include "reports/charts/sparkline.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {

using reports::Section;
using reports::TableFormat;
using storage::Cell;

namespace {

constexpr std::size_t kCurveWidth = 40;  // characters; with name and values a line of 80

Cell figure(const std::vector<storage::MetricRow>& metrics, std::string_view name) {
    const auto found = std::ranges::find(metrics, name, &storage::MetricRow::name);
    if (found == metrics.end()) return {};
    return format_metric(found->value);
}

// What is printed reaches people who see Unicode's blocks, as far as the environment tells.
reports::Glyphs glyphs() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* const value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        const std::string_view locale = value;
        const bool is_utf8 = locale.find("UTF-8") != std::string_view::npos ||
                             locale.find("utf8") != std::string_view::npos;
        return is_utf8 ? reports::Glyphs::unicode : reports::Glyphs::ascii;
    }
    return reports::Glyphs::ascii;
}

}  // namespace

Section described_section(const storage::RunDetails& details) {
    const storage::RunRow& row = details.run;
    const auto yes_no = [](bool value) { return Cell(std::string(value ? "yes" : "no")); };
    return {"run",
            {{"key", "value"},
             {{"run", row.run},
              {"experiment", row.experiment},
              {"name", row.name},
              {"title", row.title},
              {"source", row.source},
              {"tags", fmt::format("{}", fmt::join(details.tags, " "))},
              {"notes", row.notes},
              {"parent_run", row.parent_run},
              {"state", std::string(storage::to_string(row.state))},
              {"seed", row.seed},
              {"dataset", row.dataset},
              {"training_samples", row.training_samples},
              {"validation_samples", row.validation_samples},
              {"test_samples", row.test_samples},
              {"validates_on_test_set", yes_no(row.validates_on_test_set)},
              {"selected_on_test_set", yes_no(row.selected_on_test_set)},
              {"parameters", row.parameters},
              {"trainable_parameters", row.trainable_parameters},
              {"flops_per_image", row.flops_per_image},
              {"optimizer", row.optimizer},
              {"batch_size", std::int64_t{row.batch_size}},
              {"epochs", std::int64_t{row.epochs}},
              {"shards", std::int64_t{row.shards}},
              {"exchange", row.exchange},
              {"expected", row.expected},
              {"config_digest", row.config_digest},
              {"data_digest", row.data_digest},
              {"created_utc", row.created_utc}}}};
}

Section summary_section(const storage::RunDetails& details,
                        const std::vector<std::vector<Cell>>& settings) {
    const storage::RunRow& row = details.run;
    const reports::RunFigures figures = reports::run_figures(details);
    const auto& best = figures.val_accuracy.best;
    Section section{
        "run",
        {{"key", "value"},
         {{"run", row.run},
          {"experiment", row.experiment},
          {"title", row.title},
          {"tags", fmt::format("{}", fmt::join(details.tags, " "))},
          {"notes", row.notes},
          {"parent_run", row.parent_run},
          {"state", std::string(storage::to_string(row.state))},
          {"cause", details.attempts.empty() ? "" : details.attempts.back().cause},
          {"epochs", fmt::format("{} of {}", details.epochs.size(), row.epochs)},
          {"test_accuracy", figure(details.metrics, "test_accuracy")},
          {"test_top_5_accuracy", figure(details.metrics, "test_top_5_accuracy")},
          {"test_loss", figure(details.metrics, "test_loss")},
          {"test_views", figures.test_views},
          {"best_val_accuracy", best ? Cell(format_metric(*best)) : Cell()},
          {"selected_on", std::string(row.selected_on_test_set ? "the test set: flatters" : "")},
          {"seed", row.seed},
          {"dataset", row.dataset},
          {"optimizer", row.optimizer},
          {"batch_size", std::int64_t{row.batch_size}},
          {"parameters", row.parameters}}}};
    auto& rows = section.table.rows;
    rows.insert(rows.end(), settings.begin(), settings.end());
    std::erase_if(rows, [](const std::vector<Cell>& each) {
        return each[1] == Cell() || each[1] == Cell(std::string());
    });
    return section;
}

Section attempts_section(const std::vector<storage::AttemptRow>& rows) {
    Section section{
        "attempts",
        {{"attempt", "outcome", "first_epoch", "ranks", "host", "job_id", "isa", "lockstep_version",
          "onednn_version", "mpi_version", "started_utc", "finished_utc", "cause"},
         {}}};
    for (const storage::AttemptRow& row : rows) {
        section.table.rows.push_back(
            {std::int64_t{row.attempt}, row.outcome, std::int64_t{row.first_epoch},
             std::int64_t{row.ranks}, row.host, row.job_id, row.isa, row.lockstep_version,
             row.onednn_version, row.mpi_version, row.started_utc, row.finished_utc, row.cause});
    }
    return section;
}

Section metrics_section(const std::vector<storage::MetricRow>& rows) {
    Section section{"metrics", {{"name", "value"}, {}}};
    for (const storage::MetricRow& row : rows) section.table.rows.push_back({row.name, row.value});
    return section;
}

Section artifacts_section(const std::vector<storage::ArtifactRow>& rows) {
    Section section{"artifacts", {{"kind", "path", "bytes", "epoch", "sha256"}, {}}};
    for (const storage::ArtifactRow& row : rows) {
        section.table.rows.push_back(
            {row.kind, row.path, row.bytes, std::int64_t{row.epoch}, row.sha256});
    }
    return section;
}

Section events_section(const std::vector<storage::EventRow>& rows) {
    Section section{"events", {{"utc", "attempt", "kind", "text"}, {}}};
    for (const storage::EventRow& row : rows) {
        section.table.rows.push_back({row.utc, std::int64_t{row.attempt}, row.kind, row.text});
    }
    return section;
}

std::string configuration_text(const std::string& toml, TableFormat format) {
    const bool is_markdown = format == TableFormat::md;
    std::string text = is_markdown ? "\n## configuration\n\n" : "\nconfiguration\n\n";
    std::istringstream lines(toml);
    for (std::string line; std::getline(lines, line);) {
        // Four spaces make code in Markdown, whatever the line holds.
        text += (is_markdown ? "    " : "") + reports::terminal_text(line) + '\n';
    }
    return text + '\n';
}

std::string curves_text(const std::vector<storage::EpochRow>& epochs) {
    std::string text;
    const auto add = [&](std::string_view name, auto value_of) {
        std::vector<double> values;
        for (const storage::EpochRow& row : epochs)
            if (const std::optional<double> value = value_of(row)) values.push_back(*value);
        if (values.size() < 2) return;
        text += fmt::format("{:<13} {}  {} to {}\n", name,
                            reports::sparkline(values, kCurveWidth, glyphs()),
                            format_metric(values.front()), format_metric(values.back()));
    };
    using Row = storage::EpochRow;
    add("loss", [](const Row& row) { return std::optional(row.loss); });
    add("accuracy", [](const Row& row) { return std::optional(row.accuracy); });
    add("val_loss", [](const Row& row) { return row.val_loss; });
    add("val_accuracy", [](const Row& row) { return row.val_accuracy; });
    return text.empty() ? "" : fmt::format("\ncurves of {} epochs\n\n{}", epochs.size(), text);
}

}  // namespace lockstep::pipeline
