#include "pipeline/verbs/summary.hpp"

#include <set>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

int summary(const SummaryOptions& options) {
    const Plan plan = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    std::string text;
    std::set<std::string> shown;  // seeds and sweeps of one architecture look alike
    for (const PlannedRun& planned : plan.runs) {
        std::string one = model_summary(planned.run.base_name, planned.run.architecture);
        if (!shown.insert(one).second) continue;
        if (!text.empty()) text += '\n';
        text += one;
    }
    print(text);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
