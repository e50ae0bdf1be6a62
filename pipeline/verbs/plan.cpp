#include "pipeline/verbs/plan.hpp"

#include "pipeline/exit_codes.hpp"
#include "pipeline/experiment_file.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/store_reading.hpp"
#include "reports/table_text.hpp"

namespace lockstep::pipeline {

int plan(const PlanOptions& options) {
    const Plan planned = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    const bool is_for_people = options.format == reports::TableFormat::table;
    print(is_for_people ? plan_text(planned)
                        : reports::table_text(plan_table(planned), options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
