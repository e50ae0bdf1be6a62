#include "pipeline/planning/run_schedule.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/training/run_queue.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

struct Cost {
    double flops = 1.0;
    std::optional<int> ranks_per_run{};
    int shards = 8;
};

Plan plan_of(const std::vector<Cost>& costs) {
    Plan plan;
    for (const Cost& cost : costs) {
        PlannedRun run;
        run.run.config.name = "run-" + std::to_string(plan.runs.size());
        run.run.config.parallel.ranks_per_run = cost.ranks_per_run;
        run.run.config.parallel.shards = cost.shards;
        run.estimate.training_flops = cost.flops;
        plan.runs.push_back(run);
    }
    return plan;
}

std::vector<std::size_t> all_of(const Plan& plan) {
    std::vector<std::size_t> runs(plan.runs.size());
    std::iota(runs.begin(), runs.end(), std::size_t{0});
    return runs;
}

TEST_CASE("Runs on all ranks are one group and keep the plan's order") {
    const Plan plan = plan_of({{1.0}, {9.0}, {4.0}});
    const auto result = phases(plan, all_of(plan), 4);
    REQUIRE(result.size() == 1);
    CHECK(result[0].ranks_per_run == 4);
    CHECK(result[0].groups == 1);
    CHECK(result[0].runs == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("Side by side the longest runs are taken first") {
    const Plan plan = plan_of({{3, 2}, {10, 2}, {4, 2}, {6, 2}, {2, 2}});
    const auto result = phases(plan, all_of(plan), 5);  // two groups of two, one rank left over
    REQUIRE(result.size() == 1);
    CHECK(result[0].groups == 2);
    CHECK(result[0].runs == std::vector<std::size_t>{1, 3, 2, 0, 4});
}

TEST_CASE("There are no more groups than runs, and a group is no larger than the job") {
    const Plan two = plan_of({{1, 1}, {1, 1}});
    CHECK(phases(two, all_of(two), 8).at(0).groups == 2);
    const Plan large = plan_of({{1, 16, 16}});
    CHECK(phases(large, all_of(large), 3).at(0).ranks_per_run == 3);
}

TEST_CASE("Every run is trained exactly once, whatever its ranks_per_run") {
    const Plan plan = plan_of({{1, 1}, {5}, {2, 2}, {7, 1}, {3, 3}, {1}});
    for (int ranks = 1; ranks <= 8; ++ranks) {
        std::vector<std::size_t> seen;
        for (const Phase& phase : phases(plan, all_of(plan), ranks)) {
            CHECK(phase.ranks_per_run * phase.groups <= ranks);
            seen.insert(seen.end(), phase.runs.begin(), phase.runs.end());
        }
        std::sort(seen.begin(), seen.end());
        CHECK(seen == all_of(plan));
    }
}

TEST_CASE("No pending runs, no phases") { CHECK(phases(plan_of({{1.0}}), {}, 4).empty()); }

TEST_CASE("More ranks than shards are refused, unless runs go side by side") {
    CHECK_NOTHROW(check_ranks(plan_of({{1, std::nullopt, 8}}), 8));
    CHECK_NOTHROW(check_ranks(plan_of({{1, 4, 8}}), 64));
    try {
        check_ranks(plan_of({{1, std::nullopt, 8}, {1, std::nullopt, 4}}), 5);
        FAIL("5 ranks for 4 shards");
    } catch (const Failure& failure) {
        CHECK(failure.exit_code() == kExitBadSpec);
        const std::string words = failure.what();
        CHECK(words.find("run-1") != std::string::npos);
        CHECK(words.find("4 shards") != std::string::npos);
        CHECK(words.find("5 ranks") != std::string::npos);
    }
}

TEST_CASE("By default there is a rank a core, but none without a shard or a run") {
    CHECK(usable_ranks(plan_of({{1.0}}), 2) == 2);
    CHECK(usable_ranks(plan_of({{1.0}}), 64) == 8);
    CHECK(usable_ranks(plan_of({{1, std::nullopt, 8}, {1, std::nullopt, 3}}), 64) == 3);
    CHECK(usable_ranks(plan_of({{1, 2}, {1, 2}, {1, 2}}), 64) == 6);
    CHECK(usable_ranks(plan_of({{1, 2}, {1, 2}, {1, 2}}), 4) == 4);
}

TEST_CASE("Whatever is chosen by default is not refused") {
    const Plan plan = plan_of({{1, 2, 8}, {1, std::nullopt, 5}, {1, 16, 16}});
    for (int cores = 1; cores <= 40; ++cores)
        CHECK_NOTHROW(check_ranks(plan, usable_ranks(plan, cores)));
}

TEST_CASE("What a run needs follows from its state and the options") {
    using storage::RunState;
    const auto action = [&](std::optional<RunState> state, bool is_fresh, bool retries_failed) {
        return action_for(state ? &*state : nullptr, is_fresh, retries_failed);
    };
    CHECK(action(std::nullopt, false, false) == RunAction::start);
    CHECK(action(RunState::queued, false, false) == RunAction::start);
    CHECK(action(RunState::running, false, false) == RunAction::resume);
    CHECK(action(RunState::interrupted, false, false) == RunAction::resume);
    CHECK(action(RunState::finished, false, true) == RunAction::skip_finished);
    CHECK(action(RunState::failed, false, false) == RunAction::skip_failed);
    CHECK(action(RunState::failed, false, true) == RunAction::start);
    for (const RunState state : {RunState::running, RunState::finished, RunState::failed}) {
        CHECK(action(state, true, false) == RunAction::start);
    }
}

}  // namespace
}  // namespace lockstep::pipeline
