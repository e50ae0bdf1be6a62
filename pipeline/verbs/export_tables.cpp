#include "pipeline/verbs/export_tables.hpp"

#include <string>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_stream.hpp"

namespace lockstep::pipeline {

int export_tables(const ExportTablesOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    reports::TableStream stream(options.format);
    const auto write = [&](storage::Table table) {
        if (options.is_for_spreadsheets) table = reports::without_formulas(std::move(table));
        print(stream.text(table));
    };
    if (options.kind == ExportedRows::runs) {
        write(runs_with_settings(database, options.experiment).table);
    } else {
        const storage::Table runs = database.runs_table(options.experiment);
        write(database.epochs_table(""));  // of no run: the header
        for (const std::string& run : texts_of(runs, "run")) write(database.epochs_table(run));
    }
    print(stream.end());
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
