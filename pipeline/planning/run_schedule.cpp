#include "pipeline/planning/run_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {
namespace {

// Ranks that train one run when `ranks` are there.
int ranks_of_run(const PlannedRun& planned, int ranks) {
    return std::min(ranks, planned.run.config.parallel.ranks_per_run.value_or(ranks));
}

Phase phase_of(const Plan& plan, std::vector<std::size_t> runs, int ranks_per_run, int ranks) {
    const auto groups = std::min(static_cast<std::size_t>(ranks / ranks_per_run), runs.size());
    const auto flops = [&](std::size_t run) { return plan.runs[run].estimate.training_flops; };
    if (groups > 1) {
        std::stable_sort(runs.begin(), runs.end(),
                         [&](std::size_t a, std::size_t b) { return flops(a) > flops(b); });
    }
    return {ranks_per_run, static_cast<int>(groups), std::move(runs)};
}

}  // namespace

void check_ranks(const Plan& plan, int ranks) {
    for (const PlannedRun& planned : plan.runs) {
        const int shards = planned.run.config.parallel.shards;
        const int own = ranks_of_run(planned, ranks);
        if (own <= shards) continue;
        throw Failure(
            kExitBadSpec,
            fmt::format("run \"{}\" has {} shards, too few for {} ranks; start at most {} "
                        "ranks, or let runs go side by side with "
                        "`ranks_per_run = {}` under [parallel]",
                        planned.run.config.name, shards, own, shards, shards));
    }
}

int usable_ranks(const Plan& plan, int cores) {
    int ranks = cores;
    int side_by_side = 0;
    bool has_run_on_all = false;
    for (const PlannedRun& planned : plan.runs) {
        const trainer::ParallelConfig& parallel = planned.run.config.parallel;
        has_run_on_all = has_run_on_all || !parallel.ranks_per_run;
        if (!parallel.ranks_per_run) ranks = std::min(ranks, parallel.shards);
        side_by_side += std::min(parallel.ranks_per_run.value_or(0), cores);
    }
    if (!has_run_on_all) ranks = std::min(ranks, side_by_side);
    return std::max(1, ranks);
}

std::vector<Phase> phases(const Plan& plan, const std::vector<std::size_t>& runs, int ranks) {
    std::map<int, std::vector<std::size_t>, std::greater<>> by_ranks;  // most ranks first
    for (const std::size_t run : runs) {
        by_ranks[ranks_of_run(plan.runs[run], ranks)].push_back(run);
    }
    std::vector<Phase> result;
    for (auto& [ranks_per_run, members] : by_ranks) {
        result.push_back(phase_of(plan, std::move(members), ranks_per_run, ranks));
    }
    return result;
}

}  // namespace lockstep::pipeline
