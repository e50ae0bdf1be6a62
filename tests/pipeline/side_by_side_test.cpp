#include "pipeline/planning/side_by_side.hpp"

#include <cstdint>
#include <string>

#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using Catch::Matchers::WithinRel;

struct Kind {
    int runs = 1;
    std::int64_t flops_per_image = 0;
    std::int64_t parameters = 0;
    int norms = 0;
    std::int64_t steps = 100;
};

Plan plan_of(const Kind& kind) {
    PlannedRun run;
    run.run.config.train.batch_size = 32;
    run.run.config.parallel.shards = 8;
    for (int i = 0; i < kind.norms; ++i)
        run.run.config.layers.push_back({"norm", trainer::BatchNormalizationConfig{}});
    run.flops_per_image = kind.flops_per_image;
    run.parameters = run.trainable_parameters = kind.parameters;
    run.estimate.steps = kind.steps;
    Plan plan;
    plan.runs.assign(static_cast<std::size_t>(kind.runs), run);
    return plan;
}

const Kind kSmallSteps{.runs = 8, .flops_per_image = 100'000, .parameters = 1000, .norms = 4};

TEST_CASE("Runs of small steps go side by side, a rank each") {
    const Plan plan = plan_of(kSmallSteps);
    const auto best = best_side_by_side(plan, 4);
    REQUIRE(best);
    CHECK(best->ranks_per_run == 1);
    // Eight equal runs on four ranks: two turns of one rank by eight turns of all.
    const StepCost cost = estimated_cost(plan.runs.front());
    const double one = predict_step(cost, 1, 1).seconds();
    const double all = predict_step(cost, 1, 4).seconds();
    CHECK_THAT(best->gain, WithinRel(8 * all / (2 * one), 1e-12));
    CHECK_THAT(best->gain, WithinRel(side_by_side_gain(one, all, 4), 1e-12));
    const std::string note = side_by_side_note(plan, 4);
    CHECK(note.find("ranks_per_run = 1") != std::string::npos);
    CHECK(note.find("an estimate") != std::string::npos);
}

TEST_CASE("Runs that all ranks speed up go one after another") {
    const Plan plan = plan_of({.runs = 8, .flops_per_image = 1'000'000'000, .parameters = 1000});
    CHECK_FALSE(best_side_by_side(plan, 4));
    CHECK(side_by_side_note(plan, 4).empty());
}

TEST_CASE("Fewer runs than ranks share them out in larger groups") {
    const auto best =
        best_side_by_side(plan_of({.runs = 2, .flops_per_image = 500'000, .norms = 4}), 8);
    REQUIRE(best);
    CHECK(best->ranks_per_run == 4);
}

TEST_CASE("There is nothing to choose for one run, one rank, or a run that has chosen") {
    Kind one = kSmallSteps;
    one.runs = 1;
    CHECK_FALSE(best_side_by_side(plan_of(one), 4));
    CHECK_FALSE(best_side_by_side(plan_of(kSmallSteps), 1));
    CHECK_FALSE(best_side_by_side(plan_of(kSmallSteps), 9));  // more ranks than shards
    Plan chosen = plan_of(kSmallSteps);
    chosen.runs.back().run.config.parallel.ranks_per_run = 2;
    CHECK_FALSE(best_side_by_side(chosen, 4));
    CHECK_FALSE(best_side_by_side(Plan{}, 4));
}

TEST_CASE("The estimate counts passes, parameters and meetings") {
    const Plan plan =
        plan_of({.flops_per_image = 200'000'000, .parameters = 2'000'000, .norms = 3});
    const StepCost cost = estimated_cost(plan.runs.front());
    CHECK(cost.batch == 32);
    CHECK(cost.shards == 8);
    CHECK(cost.meetings == 6);
    CHECK(cost.gradient_bytes == 8e6);
    CHECK_THAT(cost.sample_seconds, WithinRel(12e-3, 1e-12));  // 600 MFLOP at 50 GFLOP/s
    CHECK_THAT(cost.update_seconds, WithinRel(1e-3, 1e-12));   // 8 MB at 8 GB/s
}

}  // namespace
}  // namespace lockstep::pipeline
