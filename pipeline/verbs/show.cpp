#include "pipeline/verbs/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/progress/terminal_lines.hpp"
#include "pipeline/store/row_options.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/show_sections.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {
namespace {

using reports::Section;
using reports::TableFormat;
using storage::Cell;
using storage::Table;

// Of v_epochs: without what is the same in every row, but for what names the run, which programs
// get with each and people once.
constexpr std::size_t kNamesOfRun = 4;
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

// Of every column.
std::span<const std::string_view> usual_columns(TableFormat format) {
    const std::span<const std::string_view> columns = kUsualColumns;
    return shows_to_people(format) ? columns.subspan(kNamesOfRun) : columns;
}

// Also how long a rank stood still, where one did: the seconds beside it tell nothing of the run.
std::vector<std::string_view> few_columns(const std::vector<storage::EpochRow>& epochs) {
    std::vector<std::string_view> columns(kFewColumns.begin(), kFewColumns.end());
    const bool stood_still = std::ranges::any_of(
        epochs, [](const storage::EpochRow& row) { return row.stopped_seconds > 0.0; });
    if (stood_still) columns.emplace_back("stopped_seconds");
    return columns;
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

// What people look for, as the terminal has room for it.
void print_short(const storage::RunDetails& details, const std::vector<std::vector<Cell>>& settings,
                 Table epochs, TableFormat format) {
    std::vector<FittingSection> rest{{{"epochs", std::move(epochs)}, {"val_accuracy"}}};
    if (details.attempts.size() > 1)
        rest.push_back({attempts_section(details.attempts), {"outcome"}});
    if (!details.events.empty()) rest.push_back({events_section(details.events), {"kind", "text"}});
    const bool is_text = format == TableFormat::table;
    const FittedText below = fitting_sections(rest, format);
    print(fitting_sections({{summary_section(details, settings), {"value"}}}, format).text +
          (is_text ? curves_text(details.epochs) : "") + '\n' + below.text + '\n' +
          terminal_lines(fmt::format("configuration, digests, files: lockstep show {} --all",
                                     details.run.run)));
    tell_left_out(below.left_out, "--all has every one");
}

// All there is.
void print_whole(const storage::RunDetails& details, Table epochs, TableFormat format) {
    const std::vector<Section> tables{attempts_section(details.attempts),
                                      {"epochs", std::move(epochs)},
                                      metrics_section(details.metrics),
                                      artifacts_section(details.artifacts)};
    const FittingSection described{described_section(details), {"value"}};
    const FittingSection events{events_section(details.events), {"attempt", "kind", "text"}};
    const bool is_text = format == TableFormat::table;
    print(fitting_sections({described}, format).text +
          (is_text ? curves_text(details.epochs) : "") +
          configuration_text(details.run.effective_config, format) +
          whole_sections(tables, format) + '\n' + fitting_sections({events}, format).text);
}

// Of programs: all sections as one object.
std::string json_text(const storage::RunDetails& details, Table epochs) {
    return reports::sections_text({described_section(details),
                                   {"configuration", {{"toml"}, {{details.run.effective_config}}}},
                                   attempts_section(details.attempts),
                                   {"epochs", std::move(epochs)},
                                   metrics_section(details.metrics),
                                   artifacts_section(details.artifacts),
                                   events_section(details.events)},
                                  TableFormat::json);
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
                         is_short ? few : usual_columns(options.format));
    if (options.format == TableFormat::csv)
        print(reports::table_text(epochs, options.format));
    else if (options.format == TableFormat::json)
        print(json_text(details, std::move(epochs)));
    else if (is_short)
        print_short(details, settings_that_differ(database, details.run), std::move(epochs),
                    options.format);
    else
        print_whole(details, std::move(epochs), options.format);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
