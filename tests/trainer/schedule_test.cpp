// Learning rates in closed form, at the edges of each schedule. Ten steps are an epoch throughout.
#include <cmath>

#include "tests/support/catch.hpp"
#include "trainer/optimizers/optimizer.hpp"

using namespace lockstep::trainer;

namespace {

double rate(const ScheduleConfig& schedule, std::int64_t step) {
    return learning_rate_at(0.5, schedule, step, 10);
}

}  // namespace

TEST_CASE("constant: the same at every step", "[trainer][schedule]") {
    for (const std::int64_t step : {0, 1, 10, 1'000'000}) CHECK(rate({}, step) == 0.5);
}

TEST_CASE("step: falls at the first step of every second epoch", "[trainer][schedule]") {
    const ScheduleConfig schedule{.shape = StepSchedule{.every_epochs = 2.0, .factor = 0.1}};
    CHECK(rate(schedule, 0) == 0.5);
    CHECK(rate(schedule, 19) == 0.5);
    CHECK(rate(schedule, 20) == Approx(0.05));
    CHECK(rate(schedule, 39) == Approx(0.05));
    CHECK(rate(schedule, 40) == Approx(0.005));
}

TEST_CASE("exponential: a factor every three epochs, spread over the steps",
          "[trainer][schedule]") {
    const ScheduleConfig schedule{.shape = ExponentialSchedule{.every_epochs = 3.0, .factor = 0.8}};
    CHECK(rate(schedule, 0) == 0.5);
    CHECK(rate(schedule, 1) == Approx(0.5 * std::pow(0.8, 1.0 / 30.0)));
    CHECK(rate(schedule, 30) == Approx(0.4));
    CHECK(rate(schedule, 60) == Approx(0.32));
}

TEST_CASE("cosine: from one to the final factor, and there it stays", "[trainer][schedule]") {
    const ScheduleConfig schedule{.shape = CosineSchedule{.over_epochs = 4.0, .final_factor = 0.1}};
    CHECK(rate(schedule, 0) == 0.5);
    CHECK(rate(schedule, 20) == Approx(0.5 * 0.55));
    CHECK(rate(schedule, 10) == Approx(0.5 * (0.1 + 0.9 * 0.5 * (1.0 + std::sqrt(0.5)))));
    CHECK(rate(schedule, 40) == Approx(0.05));
    CHECK(rate(schedule, 41) == Approx(0.05));
    CHECK(rate(schedule, 1000) == Approx(0.05));
}

TEST_CASE("piecewise: a factor from its epoch on, whole or not", "[trainer][schedule]") {
    const ScheduleConfig schedule{
        .shape = PiecewiseSchedule{.epochs = {1.0, 2.5, 4.0}, .factors = {0.1, 2.0, 0.01}}};
    for (const std::int64_t step : {0, 9}) CHECK(rate(schedule, step) == 0.5);
    for (const std::int64_t step : {10, 24}) CHECK(rate(schedule, step) == 0.5 * 0.1);
    for (const std::int64_t step : {25, 39}) CHECK(rate(schedule, step) == 1.0);
    for (const std::int64_t step : {40, 1000}) CHECK(rate(schedule, step) == 0.5 * 0.01);
    const ScheduleConfig from_start{.shape = PiecewiseSchedule{.epochs = {0.0}, .factors = {0.2}}};
    CHECK(rate(from_start, 0) == 0.1);
}

TEST_CASE("one cycle: up to its peak and down, in straight lines", "[trainer][schedule]") {
    OneCycleSchedule cycle{
        .over_epochs = 10.0, .start_factor = 0.2, .peak_at = 0.2, .final_factor = 0.1};
    const auto at = [&](std::int64_t step) { return rate({.shape = cycle}, step); };
    CHECK(at(0) == Approx(0.1));
    CHECK(at(10) == Approx(0.5 * 0.6));
    CHECK(at(20) == 0.5);
    CHECK(at(60) == Approx(0.5 * 0.55));
    CHECK(at(99) == Approx(0.5 * (1.0 - 0.9 * 79.0 / 80.0)));
    for (const std::int64_t step : {100, 5000}) CHECK(at(step) == Approx(0.05));
    cycle.peak_at = 0.0;
    CHECK(at(0) == 0.5);
    CHECK(at(50) == Approx(0.5 * 0.55));
    cycle.peak_at = 1.0;
    CHECK(at(50) == Approx(0.5 * 0.6));
    CHECK(at(100) == Approx(0.05));
}

TEST_CASE("warm-up: a straight line to its last step, times the shape", "[trainer][schedule]") {
    const ScheduleConfig constant{.shape = ConstantSchedule{}, .warmup_epochs = 0.5};
    CHECK(rate(constant, 0) == Approx(0.1));
    CHECK(rate(constant, 3) == Approx(0.4));
    CHECK(rate(constant, 4) == 0.5);
    CHECK(rate(constant, 5) == 0.5);
    const ScheduleConfig step{.shape = StepSchedule{.every_epochs = 1.0, .factor = 0.5},
                              .warmup_epochs = 2.0};
    CHECK(rate(step, 9) == Approx(0.25));
    CHECK(rate(step, 10) == Approx(0.5 * 0.5 * 11.0 / 20.0));
    CHECK(rate(step, 19) == Approx(0.25));
    CHECK(rate(step, 20) == Approx(0.125));
}
