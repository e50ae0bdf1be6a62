// Following a metric as Keras' callbacks do.
#include "trainer/monitor.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

namespace {

EpochRecord epoch_with_val_loss(int epoch, double value) {
    EpochRecord record;
    record.epoch = epoch;
    record.validation = Metrics{.loss = value, .accuracy = value, .count = 1};
    return record;
}

// Which epochs improve, as one letter an epoch.
std::string improvements(const MonitorConfig& config, const std::vector<double>& values) {
    Monitor monitor(config, {});
    std::string text;
    int epoch = 0;
    for (const double value : values)
        text += monitor.improves(epoch_with_val_loss(++epoch, value)) ? '+' : '.';
    return text;
}

const double kNan = std::nan("");

}  // namespace

TEST_CASE("min and max: only what is strictly better improves", "[trainer][monitor]") {
    const MonitorConfig loss{.metric = "val_loss"};
    CHECK(improvements(loss, {3.0, 2.0, 2.0, 2.5, 1.0}) == "++..+");
    const MonitorConfig accuracy{.metric = "val_accuracy", .mode = MonitorMode::max};
    CHECK(improvements(accuracy, {0.0, 0.0, 0.5, 0.4, 0.6}) == "+.+.+");
}

TEST_CASE("an improvement is more than min_delta", "[trainer][monitor]") {
    const MonitorConfig loss{.metric = "val_loss", .mode = MonitorMode::min, .min_delta = 0.5};
    CHECK(improvements(loss, {3.0, 2.75, 2.5, 2.25, 2.0}) == "+..+.");
    const MonitorConfig accuracy{
        .metric = "val_accuracy", .mode = MonitorMode::max, .min_delta = 0.25};
    CHECK(improvements(accuracy, {0.0, 0.25, 0.5, 0.75}) == "+.+.");
}

TEST_CASE("a NaN is never the best, not even as the first", "[trainer][monitor]") {
    const MonitorConfig loss{.metric = "val_loss"};
    CHECK(improvements(loss, {kNan, 5.0, kNan, 4.0}) == ".+.+");
    const MonitorConfig accuracy{.metric = "val_accuracy", .mode = MonitorMode::max};
    CHECK(improvements(accuracy, {kNan, 0.1, kNan, 0.2}) == ".+.+");
}

TEST_CASE("top-5 accuracy is watched where there is one", "[trainer][monitor]") {
    Monitor monitor({.metric = "val_top_5_accuracy", .mode = MonitorMode::max}, {});
    EpochRecord epoch = epoch_with_val_loss(1, 0.9);
    epoch.validation->top_5_accuracy = 0.25;
    CHECK(monitor.improves(epoch));
    CHECK_FALSE(monitor.improves(epoch));
    epoch.validation->top_5_accuracy = 0.5;
    CHECK(monitor.improves(epoch));
    CHECK(monitor.best().value == 0.5);
    epoch.validation->top_5_accuracy.reset();
    CHECK_THROWS_AS(monitor.improves(epoch), std::invalid_argument);
}

// From a NaN the first class is predicted, which may be right often.
TEST_CASE("an accuracy beside a loss that is a NaN is none", "[trainer][monitor]") {
    Monitor monitor({.metric = "val_accuracy", .mode = MonitorMode::max}, {});
    EpochRecord guessed = epoch_with_val_loss(1, 0.9);
    guessed.validation->loss = kNan;
    CHECK_FALSE(monitor.improves(guessed));
    CHECK(monitor.improves(epoch_with_val_loss(2, 0.5)));
    CHECK(monitor.best().epoch == 2);
}

TEST_CASE("the best is kept with its epoch and the epochs since, also when going on",
          "[trainer][monitor]") {
    const MonitorConfig loss{.metric = "val_loss"};
    Monitor monitor(loss, {});
    const std::vector<double> values{3.0, 1.0, 2.0, 2.0};
    for (std::size_t i = 0; i < values.size(); ++i)
        monitor.improves(epoch_with_val_loss(static_cast<int>(i) + 1, values[i]));
    CHECK(monitor.best() == BestSoFar{.value = 1.0, .epoch = 2, .epochs_since = 2});
    Monitor resumed(loss, monitor.best());
    CHECK_FALSE(resumed.improves(epoch_with_val_loss(5, 1.0)));
    CHECK(resumed.best() == BestSoFar{.value = 1.0, .epoch = 2, .epochs_since = 3});
    CHECK(resumed.improves(epoch_with_val_loss(6, 0.5)));
    CHECK(resumed.best() == BestSoFar{.value = 0.5, .epoch = 6, .epochs_since = 0});
}

TEST_CASE("each metric is read from its place", "[trainer][monitor]") {
    EpochRecord record;
    record.epoch = 1;
    record.training = {.loss = 1.0, .accuracy = 2.0, .count = 1};
    record.validation = Metrics{.loss = 3.0, .accuracy = 4.0, .count = 1};
    const auto value = [&](const std::string& metric) {
        Monitor monitor({.metric = metric}, {});
        monitor.improves(record);
        return monitor.best().value;
    };
    CHECK(value("loss") == 1.0);
    CHECK(value("accuracy") == 2.0);
    CHECK(value("val_loss") == 3.0);
    CHECK(value("val_accuracy") == 4.0);
    CHECK_THROWS_AS(value("speed"), std::invalid_argument);
    record.validation.reset();  // nothing to see is no improvement
    Monitor monitor({.metric = "val_loss"}, {});
    CHECK_FALSE(monitor.improves(record));
}
