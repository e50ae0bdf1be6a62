#include "pipeline/verbs/compare.hpp"

#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/compared_tables.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {
namespace {

std::vector<std::string> selected(const storage::RunDatabase& database,
                                  const CompareOptions& options) {
    if (!options.runs.empty()) return matching_runs(database, options.runs);
    require_experiment(database, options.experiment);
    return texts_of(database.runs_table(options.experiment), "run");
}

}  // namespace

int compare(const CompareOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    std::vector<reports::RunFigures> runs;
    for (const std::string& run : selected(database, options)) {
        runs.push_back(reports::run_figures(details_of(database, run)));
    }
    const storage::Table table = options.by == ComparedBy::run
                                     ? reports::compared_runs(runs)
                                     : reports::compared_architectures(runs);
    print(reports::table_text(table, options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
