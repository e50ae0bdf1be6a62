#include "pipeline/progress/progress.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

ProgressEvent epoch_end() {
    ProgressEvent event;
    event.kind = ProgressEvent::Kind::epoch_end;
    event.epoch = 10;
    event.epochs = 10;
    event.steps_done = event.steps = 1563;
    event.seconds = 10.4;
    event.loss = 0.7515;
    event.accuracy = 0.7407;
    event.val_loss = 1.0503;
    event.val_accuracy = 0.6645;
    return event;
}

TEST_CASE("A finished epoch reads as Keras prints it") {
    CHECK(format_bar_line(epoch_end()) ==
          "1563/1563 [==============================] - 10s 7ms/step - loss: 0.7515 - accuracy: "
          "0.7407 - val_loss: 1.0503 - val_accuracy: 0.6645");
    CHECK(format_plain_line(epoch_end()) ==
          "1563/1563 - 10s - 7ms/step - loss: 0.7515 - accuracy: 0.7407 - val_loss: 1.0503 - "
          "val_accuracy: 0.6645");
}

TEST_CASE("A bar in its midst has an arrow, dots and the time that is left") {
    ProgressEvent event = epoch_end();
    event.kind = ProgressEvent::Kind::step;
    event.steps = 100;
    event.steps_done = 50;
    event.seconds = 75.0;
    event.val_loss.reset();
    event.val_accuracy.reset();
    CHECK(format_bar_line(event) ==
          " 50/100 [==============>...............] - ETA: 1:15 - loss: 0.7515 - accuracy: 0.7407");
    event.steps_done = 1;
    CHECK(format_bar_line(event).starts_with("  1/100 [..............................] - ETA: "));
}

TEST_CASE("Figures have four digits, small ones an exponent") {
    CHECK(format_metric(2.30258509) == "2.3026");
    CHECK(format_metric(0.0011) == "0.0011");
    CHECK(format_metric(0.0005) == "5.0000e-04");
    CHECK(format_metric(-2.0) == "-2.0000");
    CHECK(format_metric(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("The time of a step has a unit that fits it") {
    CHECK(format_step_time(1.4) == "1s/step");
    CHECK(format_step_time(0.0071) == "7ms/step");
    CHECK(format_step_time(0.00085) == "850us/step");
    CHECK(format_step_time(0.0) == "0s/step");
}

TEST_CASE("Events come back from their lines to the last bit") {
    ProgressEvent event = epoch_end();
    event.run = "vgg-bn";
    event.is_side_by_side = true;
    event.loss = 0.1 + 0.2;
    event.val_loss = std::numeric_limits<double>::infinity();
    CHECK(decode_progress(encode_progress(event)) == event);

    event.loss = std::numeric_limits<double>::quiet_NaN();
    const auto back = decode_progress(encode_progress(event));
    REQUIRE(back.has_value());
    CHECK(std::isnan(back->loss));

    ProgressEvent message;
    message.text = "two\nlines, a \"quote\", \x1b and \xff";
    const std::string line = encode_progress(message);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(decode_progress(line)->text.starts_with("two\nlines, a \"quote\", \x1b and "));
}

TEST_CASE("Other lines are no events") {
    CHECK_FALSE(decode_progress("").has_value());
    CHECK_FALSE(decode_progress("mpirun noticed that ...").has_value());
    CHECK_FALSE(decode_progress("@lockstep ").has_value());
    CHECK_FALSE(decode_progress("@lockstep {\"kind\": 1").has_value());
    CHECK_FALSE(decode_progress("@lockstep {\"kind\": \"x\"}").has_value());
    CHECK_FALSE(decode_progress("@lockstep []").has_value());
}

TEST_CASE("Colour needs a terminal, and NO_COLOR that is not empty forbids it") {
    const TerminalTraits terminal{true, 80};
    ::setenv("TERM", "xterm", 1);
    ::setenv("NO_COLOR", "", 1);
    CHECK(uses_color(ColorMode::automatic, terminal));
    CHECK_FALSE(uses_color(ColorMode::automatic, TerminalTraits{}));
    ::setenv("NO_COLOR", "1", 1);
    CHECK_FALSE(uses_color(ColorMode::automatic, terminal));
    CHECK(uses_color(ColorMode::always, TerminalTraits{}));
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "dumb", 1);
    CHECK_FALSE(uses_color(ColorMode::automatic, terminal));
}

}  // namespace
}  // namespace lockstep::pipeline
