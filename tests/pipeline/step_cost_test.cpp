#include "pipeline/planning/step_cost.hpp"

#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using Catch::Matchers::WithinRel;

// Figures that binary fractions hold exactly.
StepCost some_cost() {
    return {.batch = 32,
            .shards = 8,
            .fixed_seconds = 2.0,
            .sample_seconds = 0.5,
            .update_seconds = 4.0,
            .node_seconds = 1.0,
            .gradient_bytes = 64.0,
            .meetings = 6,
            .meeting_seconds = 0.25,
            .latency_seconds = 0.125,
            .bytes_per_second = 32.0};
}

TEST_CASE("One rank computes all, updates all and waits for nobody") {
    const PredictedStep step = predict_step(some_cost(), 1, 1);
    CHECK(step.samples == 32);
    CHECK(step.compute == 2.0 + 0.5 * 32);
    CHECK(step.exchange == 4.0);
    CHECK(step.statistics == 0.0);
    CHECK(step.seconds() == 22.0);
}

TEST_CASE("Ranks of one node share the update and meet without a network") {
    const PredictedStep step = predict_step(some_cost(), 1, 2);
    CHECK(step.samples == 16);
    CHECK(step.compute == 2.0 + 0.5 * 16);
    CHECK(step.exchange == 4.0 / 2 + 1.0);
    CHECK(step.statistics == 6 * 0.25);
}

TEST_CASE("Between nodes a gradient costs bandwidth and latencies") {
    const PredictedStep step = predict_step(some_cost(), 4, 2);
    CHECK(step.samples == 4);
    CHECK(step.exchange == 4.0 / 8 + 1.0 + 2.0 * 3 / 4 * 64 / 32 + 2 * 0.125);
    CHECK(step.statistics == 6 * (0.25 + 0.125));
    // One rank a node: nothing inside of it.
    const PredictedStep lonely = predict_step(some_cost(), 2, 1);
    CHECK(lonely.exchange == 4.0 / 2 + 2.0 * 1 / 2 * 64 / 32 + 2 * 0.125);
    CHECK(lonely.statistics == 6 * 0.125);
}

TEST_CASE("The rank with most samples decides, and ranks without shards do not help") {
    CHECK(predict_step(some_cost(), 1, 3).samples == 12);  // 3 shards of 4
    CHECK(predict_step(some_cost(), 8, 1).samples == 4);
    CHECK(predict_step(some_cost(), 9, 1).samples == 4);
    StepCost uneven = some_cost();
    uneven.batch = 33;
    CHECK(predict_step(uneven, 8, 1).samples == 5);
}

TEST_CASE("Side by side wins what a step on all ranks does not speed up") {
    CHECK(side_by_side_gain(8.0, 2.0, 4) == 1.0);  // four times as fast on four ranks
    CHECK(side_by_side_gain(8.0, 4.0, 4) == 2.0);
}

TEST_CASE("A line is found again from points on it, and is never negative") {
    const std::vector<SamplePoint> on_line{{4, 5.0}, {8, 7.0}, {16, 11.0}};
    CHECK_THAT(fit_samples(on_line).fixed_seconds, WithinRel(3.0, 1e-12));
    CHECK_THAT(fit_samples(on_line).sample_seconds, WithinRel(0.5, 1e-12));
    const std::vector<SamplePoint> one{{8, 4.0}};
    CHECK(fit_samples(one).fixed_seconds == 0.0);
    CHECK(fit_samples(one).sample_seconds == 0.5);
    const std::vector<SamplePoint> steep{{4, 1.0}, {8, 5.0}};  // would cross below zero
    CHECK(fit_samples(steep).fixed_seconds == 0.0);
    CHECK(fit_samples(steep).sample_seconds == 0.5);
    const std::vector<SamplePoint> falling{{4, 5.0}, {8, 3.0}};  // noise
    CHECK(fit_samples(falling).fixed_seconds == 4.0);
    CHECK(fit_samples(falling).sample_seconds == 0.0);
}

}  // namespace
}  // namespace lockstep::pipeline
