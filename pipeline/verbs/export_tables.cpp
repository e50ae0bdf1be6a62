#include "pipeline/verbs/export_tables.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/figures/run_settings.hpp"
#include "reports/tables/keras_csv.hpp"
#include "reports/tables/table_stream.hpp"

namespace lockstep::pipeline {
namespace {

// Keras has a column for the rate where a callback, its LearningRateScheduler, changes it.
bool changes_learning_rate(const storage::RunRow& run) {
    return std::ranges::any_of(reports::run_settings(run.effective_config),
                               [](const reports::RunSetting& setting) {
                                   if (setting.key == "train.schedule.name")
                                       return setting.value != storage::Cell("constant");
                                   return setting.key == "train.schedule.warmup_epochs" &&
                                          setting.value != storage::Cell(std::int64_t{0}) &&
                                          setting.value != storage::Cell(0.0);
                               });
}

void print_for_keras(const storage::RunDatabase& database, const ExportTablesOptions& options) {
    if (options.runs.size() != 1)
        throw UsageError("--format keras is the log of one training: export epochs RUN");
    if (options.is_for_spreadsheets)
        throw UsageError("--for-spreadsheets: --format keras has no text in it");
    const storage::RunRow run = the_run(database, options.runs.front());
    print(reports::keras_csv(database.epochs(run.run), changes_learning_rate(run)));
}

std::vector<std::string> chosen_runs(const storage::RunDatabase& database,
                                     const ExportTablesOptions& options) {
    return options.runs.empty() ? texts_of(database.runs_table(options.experiment), "run")
                                : matching_runs(database, options.runs);
}

void print_tables(const storage::RunDatabase& database, const ExportTablesOptions& options) {
    reports::TableStream stream(options.format == ExportFormat::csv ? reports::TableFormat::csv
                                                                    : reports::TableFormat::json);
    const auto write = [&](storage::Table table) {
        if (options.is_for_spreadsheets) table = reports::without_formulas(std::move(table));
        print(stream.text(table));
    };
    if (options.kind == ExportedRows::runs) {
        write(runs_with_settings(database, options.experiment).table);
    } else {
        const std::vector<std::string> runs = chosen_runs(database, options);
        write(database.epochs_table(""));  // of no run: the header
        for (const std::string& run : runs) write(epochs_table_of(database, run));
    }
    print(stream.end());
}

}  // namespace

int export_tables(const ExportTablesOptions& options) {
    if (!options.runs.empty() && !options.experiment.empty())
        throw UsageError("RUN and --experiment: choose one");
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    if (options.format == ExportFormat::keras) {
        print_for_keras(database, options);
    } else {
        print_tables(database, options);
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
