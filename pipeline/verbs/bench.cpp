#include "pipeline/verbs/bench.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/verbs/bench_allreduce.hpp"

namespace lockstep::pipeline {
namespace {

int measure_here(const BenchAllreduceOptions& options, ProcessArguments arguments) {
    return do_with_ranks(arguments, [&](const trainer::Communicator&) {
        return bench_allreduce(options.benchmark);
    });
}

int supervise(ProcessArguments arguments, int ranks) {
    const Launch job{.program = std::filesystem::read_symlink("/proc/self/exe"),
                     .arguments = {arguments.values + 1, arguments.values + arguments.count},
                     .ranks = ranks,
                     .cores = available_cores(),
                     .log = "/dev/stderr"};
    ProgressDisplay progress(ProgressMode::none, ColorMode::automatic);
    const LaunchOutcome outcome = launch(job, progress);
    return conclude(outcome, job, progress);
}

}  // namespace

int bench(const BenchAllreduceOptions& options, ProcessArguments arguments) {
    const int ranks = options.ranks.value_or(available_cores());
    const bool starts_ranks = !is_started_as_rank() && ranks > 1;
    return starts_ranks ? supervise(arguments, ranks) : measure_here(options, arguments);
}

}  // namespace lockstep::pipeline
