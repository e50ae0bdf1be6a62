#include "pipeline/verbs/export_mlflow.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <vector>

#include "pipeline/exporting/mlflow_run.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {

int export_mlflow(const ExportMlflowOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    storage::make_mlflow_store(options.out);
    std::size_t runs = 0;
    std::size_t experiments = 0;
    for (const storage::ExperimentRow& experiment : database.experiments()) {
        if (!options.experiment.empty() && experiment.name != options.experiment) continue;
        storage::write_mlflow_experiment(
            options.out, {storage::mlflow_experiment_id(experiment.name), experiment.name,
                          unix_milliseconds(experiment.created_utc)});
        for (const storage::RunRow& row : database.runs(experiment.name)) {
            storage::write_mlflow_run(options.out,
                                      mlflow_run(experiment.name, details_of(database, row.run),
                                                 database.steps(row.run)));
            ++runs;
        }
        ++experiments;
    }
    print(fmt::format("{} runs of {} experiments in {}\n", runs, experiments,
                      reports::terminal_text(options.out.string())));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
