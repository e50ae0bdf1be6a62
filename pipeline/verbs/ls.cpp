#include "pipeline/verbs/ls.hpp"

#include <array>
#include <string_view>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/row_options.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::array<std::string_view, 19> kUsualColumns{"experiment",
                                                         "run",
                                                         "name",
                                                         "seed",
                                                         "state",
                                                         "epochs_finished",
                                                         "epochs_planned",
                                                         "best_epoch",
                                                         "best_val_accuracy",
                                                         "test_loss",
                                                         "test_accuracy",
                                                         "parameters",
                                                         "ranks",
                                                         "host",
                                                         "attempts",
                                                         "all_epochs_seconds",
                                                         "started_utc",
                                                         "finished_utc",
                                                         "cause"};

}  // namespace

int ls(const LsOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    const storage::Table runs = runs_table_of(database, options.experiment);
    print(reports::table_text(chosen_rows(runs, "v_runs", options.rows, kUsualColumns),
                              options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
