#include "reports/figures/work_left.hpp"

#include <vector>

#include "reports/words/number_text.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::RunState;

RunWork work(RunState state, int finished, int planned, double seconds, double flops) {
    return {.run = "a",
            .state = state,
            .epochs_finished = finished,
            .epochs_planned = planned,
            .epoch_seconds = seconds,
            .epoch_flops = flops};
}

TEST_CASE("time left: nothing is said before an epoch was measured, or when all is done") {
    CHECK_FALSE(seconds_left({}).has_value());
    const std::vector unmeasured{work(RunState::running, 0, 10, 0.0, 1e9),
                                 work(RunState::queued, 0, 10, 0.0, 1e9)};
    CHECK_FALSE(seconds_left(unmeasured).has_value());
    const std::vector done{work(RunState::finished, 10, 10, 2.0, 1e9),
                           work(RunState::failed, 3, 10, 2.0, 1e9)};
    CHECK_FALSE(seconds_left(done).has_value());
}

TEST_CASE("time left: a run's own epochs, else those of as many operations, else by operations") {
    std::vector works{work(RunState::running, 4, 10, 2.0, 1e9)};
    CHECK(*seconds_left(works) == Approx(12.0));
    works.push_back(work(RunState::queued, 0, 5, 0.0, 1e9));  // alike
    CHECK(*seconds_left(works) == Approx(12.0 + 10.0));
    works.push_back(work(RunState::finished, 10, 10, 1.0, 2e9));  // more at once, and faster
    CHECK(*seconds_left(works) == Approx(12.0 + 10.0));
    // 4 x 2 s + 10 x 1 s for 4e9 + 20e9 operations: 0.75 s for 1e9.
    works.push_back(work(RunState::queued, 0, 2, 0.0, 4e9));
    CHECK(*seconds_left(works) == Approx(12.0 + 10.0 + 2 * 3.0));
}

TEST_CASE("time left: runs side by side share it, and the longest is the least") {
    std::vector works{work(RunState::running, 5, 10, 2.0, 1e9),
                      work(RunState::running, 5, 10, 2.0, 1e9)};
    CHECK(*seconds_left(works) == Approx(10.0));
    works[1].epochs_planned = 6;
    CHECK(*seconds_left(works) == Approx(10.0));
    works.push_back(work(RunState::interrupted, 2, 7, 2.0, 1e9));
    CHECK(*seconds_left(works) == Approx((10.0 + 2.0 + 10.0) / 2));
}

TEST_CASE("time left: in words") {
    CHECK(rough_duration(0.2) == "1 s");
    CHECK(rough_duration(89.0) == "89 s");
    CHECK(rough_duration(14.4 * 60) == "14 min");
    CHECK(rough_duration(3.21 * 3600) == "3.2 h");
}

}  // namespace
}  // namespace lockstep::reports
