#include "reports/tables/compared_tables.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

RunFigures finished(const std::string& name, std::int64_t seed, double test_accuracy) {
    storage::RunDetails details;
    details.run.name = name + "-seed" + std::to_string(seed);
    details.run.run = details.run.name + "-0badcafe";
    details.run.seed = seed;
    details.run.parameters = 552362;
    details.run.state = storage::RunState::finished;
    details.run.expected = R"({"test_accuracy": 0.83})";
    details.run.effective_config = "train.seed = " + std::to_string(seed) + "\n";
    details.metrics = {{details.run.run, "test_accuracy", test_accuracy},
                       {details.run.run, "test_count", 100.0}};
    storage::EpochRow epoch;
    epoch.epoch = 1;
    epoch.val_accuracy = 0.5;
    epoch.epoch_seconds = 3.0;
    epoch.training_seconds = 2.0;
    epoch.training_count = 100;
    details.epochs = {epoch};
    return run_figures(details);
}

Cell cell(const storage::Table& table, std::size_t row, std::string_view column) {
    REQUIRE(table.rows.at(row).size() == table.columns.size());
    const auto found = std::ranges::find(table.columns, column);
    REQUIRE(found != table.columns.end());
    return table.rows[row][static_cast<std::size_t>(found - table.columns.begin())];
}

double number(const storage::Table& table, std::size_t row, std::string_view column) {
    return std::get<double>(cell(table, row, column));
}

TEST_CASE("compare: a row a run, its accuracy with Wilson's interval") {
    const storage::Table table = compared_runs({finished("vgg", 1, 0.5), finished("vgg", 2, 0.6)});
    REQUIRE(table.rows.size() == 2);
    CHECK(cell(table, 0, "name") == Cell(std::string("vgg-seed1")));
    CHECK(number(table, 0, "test_accuracy") == 0.5);
    // 50 of 100, published: 0.4038 to 0.5962.
    CHECK(number(table, 0, "test_accuracy_low") == Approx(0.4038).margin(5e-5));
    CHECK(number(table, 0, "test_accuracy_high") == Approx(0.5962).margin(5e-5));
    CHECK(number(table, 0, "printed_accuracy") == 0.83);
    CHECK(number(table, 0, "images_per_second") == 50.0);
    CHECK(cell(table, 0, "selected_on") == Cell());
}

TEST_CASE("compare: a run that has not begun has its name and no figures") {
    storage::RunDetails details;
    details.run.name = "vgg";
    details.run.selected_on_test_set = true;
    const storage::Table table = compared_runs({run_figures(details)});
    for (const char* column :
         {"val_accuracy", "best_val_accuracy", "best_epoch", "test_accuracy", "test_accuracy_low",
          "printed_accuracy", "run_seconds", "images_per_second"}) {
        CAPTURE(column);
        CHECK(cell(table, 0, column) == Cell());
    }
    CHECK(cell(table, 0, "selected_on") == Cell(std::string("test set")));
}

TEST_CASE("compare: seeds of one architecture become a mean with a t interval") {
    const storage::Table table = compared_architectures(
        {finished("vgg", 1, 0.59), finished("vgg", 2, 0.61), finished("small", 1, 0.8)});
    REQUIRE(table.rows.size() == 2);
    CHECK(cell(table, 0, "architecture") == Cell(std::string("small")));  // the best first
    CHECK(cell(table, 0, "interval") == Cell(std::string("of_one_run")));
    CHECK(cell(table, 0, "covers_printed") == Cell(std::string("yes")));
    CHECK(cell(table, 1, "seeds") == Cell(std::string("1 2")));
    CHECK(cell(table, 1, "interval") == Cell(std::string("over_seeds")));
    CHECK(number(table, 1, "test_accuracy") == Approx(0.6));
    // 0.6 - 12.7062 x 0.01414 / sqrt(2)
    CHECK(number(table, 1, "test_accuracy_low") == Approx(0.6 - 0.127062));
}

TEST_CASE("The table at a training's end has no speed of a run that has not begun") {
    storage::RunDetails queued;
    queued.run.name = "net";
    queued.run.selected_on_test_set = true;
    const storage::Table table = results_table({run_figures(queued), finished("a", 1, 0.7)});
    CHECK(cell(table, 0, "name") == Cell(std::string("net *")));
    for (const char* column : {"source_figure", "run_seconds", "images_per_second"})
        CHECK(cell(table, 0, column) == Cell());
    CHECK(cell(table, 1, "source_figure") == Cell(std::string("0.8300 test_accuracy")));
    CHECK(cell(table, 1, "images_per_second") == Cell(50.0));
    CHECK(cell(table, 1, "run_seconds") == Cell(3.0));
}

}  // namespace
}  // namespace lockstep::reports
