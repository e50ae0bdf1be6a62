#include "pipeline/verbs/plan.hpp"

#include <string>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/planning/plan.hpp"
#include "pipeline/planning/side_by_side.hpp"
#include "pipeline/planning/swept_settings.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/verbs/terminal_table.hpp"

namespace lockstep::pipeline {

int plan(const PlanOptions& options) {
    const std::string text = read_experiment_file(options.spec.file);
    const Plan planned = plan_experiment(text, options.spec, options.ranks.value_or(1));
    if (options.spec.data) require_data(planned);
    const int ranks = options.ranks.value_or(available_cores());
    const bool is_for_people = options.format == reports::TableFormat::table;
    for (const std::string& note : planned.notes) {
        if (!is_for_people) tell_failure({kExitSuccess, "warning: " + note});
    }
    storage::Table table = plan_table(planned);
    if (shows_to_people(options.format)) table = with_swept_settings(std::move(table), planned);
    print_fitting(table, options.format, {.where_the_rest_is = "--format csv has every one"});
    if (is_for_people) print(plan_notes(planned) + side_by_side_note(planned, ranks));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
