#include "pipeline/verbs/bench.hpp"

#include <filesystem>
#include <functional>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/allocation.hpp"
#include "pipeline/ranks/handed_output.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"

namespace lockstep::pipeline {
namespace {

int supervise(ProcessArguments arguments, int ranks) {
    const Allocation allocated = allocation(available_cores());
    const Launch job{.program = std::filesystem::read_symlink("/proc/self/exe"),
                     .arguments = {arguments.values + 1, arguments.values + arguments.count},
                     .ranks = ranks,
                     .cores = available_cores() * allocated.nodes,
                     .slots = allocated.slots,
                     .hosts = allocated.hosts,
                     .log = "/dev/stderr"};
    ProgressDisplay progress(ProgressMode::none, ColorMode::automatic);
    const HandedOutput output;
    const LaunchOutcome outcome = launch(job, progress, nullptr);
    output.print();
    return conclude(outcome, job, progress);
}

int measure(ProcessArguments arguments, int ranks,
            const std::function<int(const trainer::Communicator&)>& work) {
    const bool starts_ranks = !is_started_as_rank() && ranks > 1;
    if (!starts_ranks) hand_output_over();
    return starts_ranks ? supervise(arguments, ranks) : do_with_ranks(arguments, work);
}

}  // namespace

int bench(const BenchAllreduceOptions& options, ProcessArguments arguments) {
    return measure(
        arguments, options.ranks.value_or(allocation(available_cores()).ranks),
        [&](const trainer::Communicator&) { return bench_allreduce(options.benchmark); });
}

int bench(const BenchStepOptions& options, ProcessArguments arguments) {
    // The file is read here too, so that its errors cost no start of ranks.
    const int ranks =
        is_started_as_rank() ? 1 : ranks_for(options, allocation(available_cores()).ranks);
    return measure(arguments, ranks,
                   [&](const trainer::Communicator& world) { return bench_step(options, world); });
}

}  // namespace lockstep::pipeline
