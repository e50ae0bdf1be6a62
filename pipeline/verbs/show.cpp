#include "pipeline/verbs/show.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/row_options.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/charts/sparkline.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {
namespace {

using reports::Section;
using reports::TableFormat;
using storage::Cell;
using storage::Table;

// Of v_epochs: without what is the same in every row, but for what names the run.
constexpr std::array<std::string_view, 25> kUsualColumns{"experiment",
                                                         "name",
                                                         "seed",
                                                         "run",
                                                         "epoch",
                                                         "attempt",
                                                         "steps",
                                                         "loss",
                                                         "accuracy",
                                                         "val_loss",
                                                         "val_accuracy",
                                                         "val_top_5_accuracy",
                                                         "is_nan",
                                                         "learning_rate",
                                                         "training_count",
                                                         "validation_count",
                                                         "weights_digest",
                                                         "epoch_seconds",
                                                         "training_seconds",
                                                         "exchange_seconds",
                                                         "data_seconds",
                                                         "evaluation_seconds",
                                                         "images_per_second",
                                                         "stopped_seconds",
                                                         "finished_utc"};

// For people: what they look for in each epoch.
constexpr std::array<std::string_view, 8> kFewColumns{
    "epoch",        "loss",          "accuracy",      "val_loss",
    "val_accuracy", "learning_rate", "epoch_seconds", "images_per_second"};

// Also how long a rank stood still, where one did: the seconds beside it tell nothing of the run.
std::vector<std::string_view> few_columns(const std::vector<storage::EpochRow>& epochs) {
    std::vector<std::string_view> columns(kFewColumns.begin(), kFewColumns.end());
    const bool stood_still = std::ranges::any_of(
        epochs, [](const storage::EpochRow& row) { return row.stopped_seconds > 0.0; });
    if (stood_still) columns.emplace_back("stopped_seconds");
    return columns;
}

constexpr std::size_t kCurveWidth = 40;  // characters; with name and values a line of 80

Section described(const storage::RunDetails& details) {
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

Cell figure(const std::vector<storage::MetricRow>& metrics, std::string_view name) {
    const auto found = std::ranges::find(metrics, name, &storage::MetricRow::name);
    if (found == metrics.end()) return {};
    return format_metric(found->value);
}

// How it went, and what it is: without what is empty.
//   settings   rows that follow
Section summary(const storage::RunDetails& details,
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

// In which the run differs from others of its experiment: a long name of a sweep has only their
// hash.
std::vector<std::vector<Cell>> settings_that_differ(const storage::RunDatabase& database,
                                                    const storage::RunRow& row) {
    constexpr std::array<std::string_view, 2> kShown{"train.batch_size", "train.optimizer.name"};
    const reports::SettingsTable runs = runs_with_settings(database, row.experiment);
    const std::vector<std::string> ids = texts_of(runs.table, "run");
    const auto own = static_cast<std::size_t>(std::ranges::find(ids, row.run) - ids.begin());
    std::vector<std::vector<Cell>> rows;
    for (const std::string& key : reports::differing_settings(runs)) {
        if (own == ids.size() || std::ranges::find(kShown, key) != kShown.end()) continue;
        rows.push_back({shown_name(runs, key), runs.table.rows[own][place_of(runs.table, key)]});
    }
    return rows;
}

Section attempts(const std::vector<storage::AttemptRow>& rows) {
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

Section metrics(const std::vector<storage::MetricRow>& rows) {
    Section section{"metrics", {{"name", "value"}, {}}};
    for (const storage::MetricRow& row : rows) section.table.rows.push_back({row.name, row.value});
    return section;
}

Section artifacts(const std::vector<storage::ArtifactRow>& rows) {
    Section section{"artifacts", {{"kind", "path", "bytes", "epoch", "sha256"}, {}}};
    for (const storage::ArtifactRow& row : rows) {
        section.table.rows.push_back(
            {row.kind, row.path, row.bytes, std::int64_t{row.epoch}, row.sha256});
    }
    return section;
}

Section events(const std::vector<storage::EventRow>& rows) {
    Section section{"events", {{"utc", "attempt", "kind", "text"}, {}}};
    for (const storage::EventRow& row : rows) {
        section.table.rows.push_back({row.utc, std::int64_t{row.attempt}, row.kind, row.text});
    }
    return section;
}

// Every value and its origin, as effective.toml has them.
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

// A line a figure: its name, its curve over the epochs, its first and last value.
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

// What people look for, as the terminal has room for it.
void print_short(const storage::RunDetails& details, const std::vector<std::vector<Cell>>& settings,
                 Table epochs, TableFormat format) {
    std::vector<FittingSection> rest{{{"epochs", std::move(epochs)}, {"val_accuracy"}}};
    if (details.attempts.size() > 1) rest.push_back({attempts(details.attempts), {"outcome"}});
    if (!details.events.empty()) rest.push_back({events(details.events), {"kind", "text"}});
    const bool is_text = format == TableFormat::table;
    const FittedText below = fitting_sections(rest, format);
    print(fitting_sections({{summary(details, settings), {"value"}}}, format).text +
          (is_text ? curves_text(details.epochs) : "") + '\n' + below.text + '\n' +
          fitting_lines({fmt::format("configuration, digests, files: lockstep show {} --all",
                                     details.run.run)}));
    tell_left_out(below.left_out, "--all has every one");
}

}  // namespace

int show(const ShowOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const std::string id = the_run(database, options.run).run;
    storage::RunDetails details;
    Table epochs;
    database.read_at_once([&] {
        details = details_of(database, id);
        epochs = epochs_table_of(database, id);
    });
    const bool is_short = shows_to_people(options.format) && !options.shows_all;
    const std::vector<std::string_view> few = few_columns(details.epochs);
    epochs = chosen_rows(epochs, "v_epochs", options.rows,
                         is_short ? std::span<const std::string_view>(few) : kUsualColumns);
    if (is_short) {
        print_short(details, settings_that_differ(database, details.run), std::move(epochs),
                    options.format);
        return kExitSuccess;
    }
    if (options.format == TableFormat::csv) {
        print(reports::table_text(epochs, options.format));
        return kExitSuccess;
    }
    std::vector<Section> rest{attempts(details.attempts),
                              {"epochs", std::move(epochs)},
                              metrics(details.metrics),
                              artifacts(details.artifacts),
                              events(details.events)};
    std::vector<Section> first{described(details)};
    if (options.format == TableFormat::json) {
        first.push_back({"configuration", {{"toml"}, {{details.run.effective_config}}}});
        first.insert(first.end(), rest.begin(), rest.end());
        print(reports::sections_text(first, options.format));
        return kExitSuccess;
    }
    const bool is_text = options.format == TableFormat::table;
    print(reports::sections_text(first, options.format) +
          (is_text ? curves_text(details.epochs) : "") +
          configuration_text(details.run.effective_config, options.format) +
          reports::sections_text(rest, options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
