// argv -> verb -> exit status: the only place that turns exceptions into exit codes.

#include <mpi.h>

#include <exception>
#include <variant>

#include "pipeline/command_line.hpp"
#include "pipeline/exit_codes.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/launcher.hpp"
#include "pipeline/rank_environment.hpp"
#include "pipeline/rank_session.hpp"
#include "pipeline/store_reading.hpp"
#include "pipeline/verbs/bench.hpp"
#include "pipeline/verbs/compare.hpp"
#include "pipeline/verbs/diff.hpp"
#include "pipeline/verbs/evaluate.hpp"
#include "pipeline/verbs/export_tables.hpp"
#include "pipeline/verbs/export_tensorboard.hpp"
#include "pipeline/verbs/export_weights.hpp"
#include "pipeline/verbs/ls.hpp"
#include "pipeline/verbs/plan.hpp"
#include "pipeline/verbs/predict.hpp"
#include "pipeline/verbs/query.hpp"
#include "pipeline/verbs/report.hpp"
#include "pipeline/verbs/run.hpp"
#include "pipeline/verbs/show.hpp"
#include "pipeline/verbs/summary.hpp"
#include "pipeline/verbs/tail.hpp"
#include "pipeline/verbs/validate.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {
namespace {

// One overload a verb.
struct Verbs {
    ProcessArguments arguments;

    int operator()(const TextRequest& request) const {
        print(request.text);
        return kExitSuccess;
    }
    int operator()(const RunOptions& options) const { return run(options, arguments); }
    int operator()(const ValidateOptions& options) const { return validate(options); }
    int operator()(const PlanOptions& options) const { return plan(options); }
    int operator()(const SummaryOptions& options) const { return summary(options); }
    int operator()(const LsOptions& options) const { return ls(options); }
    int operator()(const ShowOptions& options) const { return show(options); }
    int operator()(const CompareOptions& options) const { return compare(options); }
    int operator()(const DiffOptions& options) const { return diff(options); }
    int operator()(const TailOptions& options) const { return tail(options); }
    int operator()(const QueryOptions& options) const { return query(options); }
    int operator()(const EvaluateOptions& options) const { return evaluate(options, arguments); }
    int operator()(const PredictOptions& options) const { return predict(options, arguments); }
    int operator()(const ExportWeightsOptions& options) const { return export_weights(options); }
    int operator()(const ExportTablesOptions& options) const { return export_tables(options); }
    int operator()(const ExportTensorboardOptions& options) const {
        return export_tensorboard(options);
    }
    int operator()(const ReportOptions& options) const { return report(options); }
    int operator()(const BenchAllreduceOptions& options) const { return bench(options, arguments); }
};

bool is_mpi_running() {
    int is_started = 0;
    int is_ended = 0;
    MPI_Initialized(&is_started);
    MPI_Finalized(&is_ended);
    return is_started != 0 && is_ended == 0;
}

// Tells the error once. Before MPI runs, every rank meets the same one; once it runs, the others
// may wait for this rank, and have to be ended.
int end_with(const Failure& failure) {
    const bool are_others_waiting = is_mpi_running();
    if (are_others_waiting || rank_from_environment() == 0) tell_failure(failure);
    if (are_others_waiting) trainer::abort_job(failure.exit_code());
    return failure.exit_code();
}

}  // namespace
}  // namespace lockstep::pipeline

int main(int argc, char** argv) {
    using namespace lockstep::pipeline;
    const ProcessArguments arguments{argc, argv};
    try {
        return std::visit(Verbs{arguments}, parse_command_line(arguments));
    } catch (...) {
        return end_with(failure_of(std::current_exception()));
    }
}
