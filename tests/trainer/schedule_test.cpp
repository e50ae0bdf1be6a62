// Learning rates in closed form, at the edges of each schedule. Ten steps are an epoch throughout.
#include <cmath>

#include "tests/support/catch.hpp"
#include "trainer/optimizers/optimizer.hpp"

using namespace lockstep::trainer;

namespace {

double rate(const ScheduleConfig& schedule, std::int64_t step) {
    return learning_rate_at({.learning_rate = 0.5, .rule = SgdConfig{}}, schedule, step, 10);
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
