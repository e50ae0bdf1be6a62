#include "reports/figures/run_figures.hpp"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

storage::EpochRow epoch(int number, std::optional<double> val_accuracy) {
    storage::EpochRow row;
    row.epoch = number;
    row.training_count = 100;
    row.val_accuracy = val_accuracy;
    row.epoch_seconds = 3.0;
    row.training_seconds = 2.0;
    return row;
}

storage::RunDetails details(std::vector<storage::EpochRow> epochs) {
    storage::RunDetails result;
    result.run.run = "vgg-bn-00000000";
    result.run.name = "vgg-bn";
    result.run.experiment = "tutorials";
    result.run.epochs = 12;
    result.epochs = std::move(epochs);
    return result;
}

RunFigures figures(std::vector<storage::EpochRow> epochs) {
    return run_figures(details(std::move(epochs)));
}

TEST_CASE("The best epoch is the first of those with the highest validation accuracy") {
    const auto run = figures({epoch(1, 0.5), epoch(2, 0.7), epoch(3, 0.6), epoch(4, 0.7)});
    CHECK(run.val_accuracy.best == 0.7);
    CHECK(run.best_epoch == 2);
    CHECK(run.epochs.size() == 4);
}

TEST_CASE("Without validation there is no best epoch, and a NaN is never the best") {
    CHECK_FALSE(figures({epoch(1, std::nullopt)}).val_accuracy.best.has_value());
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(figures({epoch(1, 0.2), epoch(2, nan)}).best_epoch == 1);
}

TEST_CASE("Images per second are all samples by all seconds of training, not a mean of means") {
    std::vector<storage::EpochRow> epochs{epoch(1, 0.5), epoch(2, 0.5)};
    epochs[1].training_seconds = 8.0;
    const auto run = figures(epochs);
    CHECK(run.images_per_second == Approx(20.0));
    CHECK(run.seconds == Approx(6.0));
}

TEST_CASE("A run that has not begun has no speed and no figures") {
    const RunFigures run = figures({});
    CHECK(run.images_per_second == 0.0);
    CHECK_FALSE(run.has_epochs());
    CHECK_FALSE(run.test_accuracy.has_value());
}

TEST_CASE("Test figures are those of the run's end") {
    storage::RunDetails run = details({epoch(1, 0.5)});
    run.metrics = {{"vgg-bn-00000000", "test_loss", 0.5},
                   {"vgg-bn-00000000", "test_accuracy", 0.83}};
    CHECK(run_figures(run).test_accuracy == 0.83);
    CHECK(run_figures(run).test_loss == 0.5);
}

TEST_CASE("A run stands in every list that has it, and in its own experiment's") {
    storage::RunDetails run = details({});
    CHECK(run_figures(run).experiments == std::set<std::string>{"tutorials"});
    run.experiments = {"again", "tutorials"};
    CHECK(run_figures(run).experiments == std::set<std::string>{"again", "tutorials"});
}

TEST_CASE("The printed figure is the test accuracy, else validation's, else training's last") {
    CHECK_FALSE(printed_figure("").has_value());
    CHECK_FALSE(printed_figure(R"({"parameters": 289443})").has_value());
    CHECK_FALSE(printed_figure("no json").has_value());
    CHECK_FALSE(printed_figure(R"({"accuracy": []})").has_value());

    const auto test = printed_figure(R"({"accuracy": 0.9, "test_accuracy": 0.83})");
    REQUIRE(test.has_value());
    CHECK(test->value == 0.83);
    CHECK(test->metric == "test_accuracy");

    const auto list = printed_figure(R"({"accuracy": [0.4551, 0.8491]})");
    REQUIRE(list.has_value());
    CHECK(list->value == 0.8491);
    CHECK(list->metric == "accuracy");
}

}  // namespace
}  // namespace lockstep::reports
