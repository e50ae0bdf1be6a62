#include "pipeline/progress/log_progress.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

TEST_CASE("log: the last line below the last header is how far training has come") {
    const std::string log =
        "--- 2026-03-01T12:00:00.250Z attempt 1 on node07 (2 ranks)\n"
        "vgg-bn: 552,362 parameters\nEpoch 1/12\n310/1563 - 5s - 16ms/step - loss: 1.5\n"
        "1563/1563 - 25s - 16ms/step - loss: 1.2\nEpoch 2/12\n";
    CHECK_FALSE(log_progress(log).has_value());  // nothing of epoch 2 yet
    CHECK(log_progress(log + "311/1563 - 5s - loss: 1.1\n620/1563 - 10s - loss: 1.0\n") ==
          LogProgress{2, "620/1563 - 10s - loss: 1.0"});
    CHECK(log_progress(log + "311/1563 - 5s - loss: 1.1\n620/1563 - 10") ==
          LogProgress{2, "311/1563 - 5s - loss: 1.1"});  // the last line is still being written
    CHECK_FALSE(log_progress(log + "311/1563 - 5s - loss: 1.1\ninterrupted: asked to\n"));
}

TEST_CASE("log: half lines, empty logs and other texts are no progress") {
    CHECK_FALSE(log_progress("").has_value());
    CHECK_FALSE(log_progress("620/1563 - 10s - loss: 1.0\n").has_value());  // of which epoch?
    CHECK_FALSE(log_progress("Epoch x/12\n1/2 - 3s - x\n").has_value());
    CHECK_FALSE(log_progress("Epoch 1/12\n12 of 1563\n").has_value());
    CHECK(log_progress("ss: 1.5\nEpoch 7/12\n1/2 - 3s - x\n") == LogProgress{7, "1/2 - 3s - x"});
}

TEST_CASE("log: how long ago the last step was, in words") {
    using std::chrono::seconds;
    CHECK(step_age_text(seconds(9)).empty());
    CHECK(step_age_text(seconds(10)) == "last step 10 s ago");
    CHECK(step_age_text(seconds(59)) == "last step 59 s ago");
    CHECK(step_age_text(seconds(60)) == "no step for 60 s");
    CHECK(step_age_text(seconds(7 * 60 + 59)) == "no step for 7 min");
    CHECK(step_age_text(seconds(3 * 3600)) == "no step for 3 h");
    CHECK_FALSE(time_since_step("/nowhere/log.txt").has_value());
}

}  // namespace
}  // namespace lockstep::pipeline
