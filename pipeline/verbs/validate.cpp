#include "pipeline/verbs/validate.hpp"

#include <fmt/format.h>

#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {

int validate(const ValidateOptions& options) {
    const Plan plan = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    std::string text;
    for (const std::string& note : plan.notes) text += fmt::format("warning: {}\n", note);
    for (const PlannedRun& planned : plan.runs) {
        for (const std::string& warning : planned.warnings) {
            text += fmt::format("warning: {}: {}\n", planned.run.config.name, warning);
        }
    }
    print(text + fmt::format("{}: OK, {} run{}\n",
                             reports::terminal_text(options.spec.file.string()), plan.runs.size(),
                             plan.runs.size() == 1 ? "" : "s"));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
