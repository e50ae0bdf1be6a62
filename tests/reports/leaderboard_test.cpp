#include "reports/figures/leaderboard.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reports/words/pair_text.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

RunFigures finished(const std::string& name, std::int64_t seed, double accuracy) {
    return run_figures(finished_run(name, seed, accuracy));
}

std::vector<std::string> names(const std::vector<ArchitectureFigures>& entries) {
    std::vector<std::string> result;
    for (const ArchitectureFigures& entry : entries) result.push_back(entry.name);
    return result;
}

TEST_CASE("Runs that differ in their seed alone are one architecture") {
    const auto entries =
        leaderboard({finished("vgg-seed2", 2, 0.8), finished("vgg-seed1", 1, 0.6)});
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].name == "vgg");
    CHECK(entries[0].runs == std::vector<std::size_t>{1, 0});
    CHECK(entries[0].test_accuracy.estimate.mean == Approx(0.7));
    CHECK(entries[0].test_accuracy.kind == IntervalKind::over_seeds);
}

TEST_CASE("A setting that differs makes another architecture, told apart by its hash") {
    auto other = finished_run("vgg", 1, 0.6);
    other.run.run = "vgg-99999999";
    other.run.effective_config += "strides = 2\n";
    const auto entries = leaderboard({finished("vgg", 1, 0.7), run_figures(other)});
    CHECK(names(entries) == std::vector<std::string>{"vgg-00000001", "vgg-99999999"});
}

TEST_CASE("The best comes first, those without a figure last, each test set by itself") {
    auto three = finished_run("three", 1, 0.95);
    three.run.test_samples = 30;
    const auto entries = leaderboard({run_figures(queued_run("planned")), finished("poor", 1, 0.4),
                                      run_figures(three), finished("good", 1, 0.6)});
    CHECK(names(entries) == std::vector<std::string>{"good", "poor", "planned", "three"});
}

TEST_CASE("One run has Wilson's interval of its own accuracy") {
    const auto entries = leaderboard({finished("vgg", 1, 0.8)});
    CHECK(entries[0].test_accuracy.kind == IntervalKind::of_one_run);
    CHECK(entries[0].test_accuracy.interval == wilson_interval(80, 100));
}

TEST_CASE("An interval over seeds ends where accuracies end") {
    const auto entries =
        leaderboard({finished("vgg-seed1", 1, 0.5), finished("vgg-seed2", 2, 0.9)});
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].test_accuracy.estimate.interval->high > 1.0);  // 0.7 + 12.7 x 0.2
    CHECK(entries[0].test_accuracy.interval == Interval{0.0, 1.0});
}

TEST_CASE("Runs that are not finished do not enter the mean of those that are") {
    auto failed = finished_run("vgg-seed2", 2, 0.1);
    failed.run.state = storage::RunState::failed;
    failed.metrics.clear();
    failed.epochs.resize(3);
    const auto entries = leaderboard({finished("vgg-seed1", 1, 0.8), run_figures(failed)});
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].state == "1 finished, 1 failed");
    CHECK(entries[0].epochs.mean == 10.0);
    CHECK_FALSE(entries[0].is_preliminary);

    const auto alone = leaderboard({run_figures(failed)});
    CHECK(alone[0].is_preliminary);
    CHECK(alone[0].val_accuracy_best.mean == Approx(0.12));
}

TEST_CASE("The printed figure is compared with ours of the same metric") {
    auto run = finished_run("vgg", 1, 0.8);
    run.run.expected = R"({"test_accuracy":0.83})";
    CHECK(leaderboard({run_figures(run)})[0].printed->is_covered == true);
    run.run.expected = R"({"test_accuracy":0.99})";
    CHECK(leaderboard({run_figures(run)})[0].printed->is_covered == false);
    // 0.4 of the last epoch, on 100 validation samples.
    run.run.expected = R"({"val_accuracy":[0.1,0.42]})";
    const auto printed = leaderboard({run_figures(run)})[0].printed;
    CHECK(printed->ours.estimate.mean == Approx(0.4));
    CHECK(printed->is_covered == true);
    // A running mean over changing weights is no proportion: no interval.
    run.run.expected = R"({"accuracy":0.5})";
    CHECK_FALSE(leaderboard({run_figures(run)})[0].printed->is_covered.has_value());
}

TEST_CASE("The best of several epochs has no interval, and the comparison says so") {
    auto run = finished_run("vgg", 1, 0.8);
    run.run.expected = R"({"best_val_accuracy":0.4})";
    const auto best = leaderboard({run_figures(run)})[0].printed;
    CHECK(best->ours.estimate.mean == Approx(0.4));
    CHECK_FALSE(best->is_covered.has_value());
    CHECK(coverage_text(*best) == "no interval of ours: the best of several epochs is a maximum");
    CHECK(interval_word(best->ours) == "none");
    // So is the test accuracy of weights that the test set chose.
    auto watcher = finished_run("vgg", 1, 0.8);
    watcher.run.selected_on_test_set = true;
    watcher.run.expected = R"({"test_accuracy":0.8})";
    const auto entry = leaderboard({run_figures(watcher)})[0];
    CHECK_FALSE(run_figures(watcher).test_interval.has_value());
    CHECK(entry.test_accuracy.kind == IntervalKind::none);
    CHECK_FALSE(entry.printed->is_covered.has_value());
}

TEST_CASE("The printed figure's comparison names our interval") {
    auto first = finished_run("vgg-seed1", 1, 0.8);
    auto second = finished_run("vgg-seed2", 2, 0.9);
    first.run.expected = second.run.expected = R"({"test_accuracy":0.85})";
    const auto one = leaderboard({run_figures(first)})[0].printed;
    CHECK(coverage_text(*one) == "covered by our interval of one run");
    const auto seeds = leaderboard({run_figures(first), run_figures(second)})[0].printed;
    CHECK(coverage_text(*seeds) == "covered by our interval over 2 seeds");
    CHECK(interval_word(seeds->ours) == "over_seeds");
    // Seeds that agree have no deviation: nothing to be inside of.
    second.metrics[1].value = 0.8;
    const auto equal = leaderboard({run_figures(first), run_figures(second)})[0].printed;
    CHECK(coverage_text(*equal) == "no interval of ours: all 2 seeds give the same figure");
}

TEST_CASE("Another way of training is no clean figure of a network") {
    auto watcher = finished_run("watcher", 1, 0.8);
    watcher.run.selected_on_test_set = true;
    watcher.metrics.back().value = 4.0;  // weights_epoch
    auto other = finished_run("plain", 1, 0.7);
    other.run.effective_config.replace(other.run.effective_config.find("size = 32"), 9,
                                       "size = 64");
    CHECK_FALSE(leaderboard({run_figures(watcher), run_figures(other)})[0].clean.has_value());
}

TEST_CASE("A clean figure is the last planned epoch's, or the same network's elsewhere") {
    auto watcher = finished_run("watcher", 1, 0.8);
    watcher.run.selected_on_test_set = true;
    CHECK(leaderboard({run_figures(watcher)})[0].clean->accuracy == 0.8);

    watcher.metrics.back().value = 4.0;  // weights_epoch: it stopped there
    CHECK_FALSE(leaderboard({run_figures(watcher)})[0].clean.has_value());
    const auto entries = leaderboard({run_figures(watcher), finished("plain", 1, 0.7)});
    CHECK(entries[0].clean->accuracy == 0.7);
}

TEST_CASE("A NaN is never the best, and shows as the last") {
    auto run = finished_run("vgg", 1, 0.8);
    run.epochs.back().val_accuracy = std::numeric_limits<double>::quiet_NaN();
    run.epochs.back().loss = std::numeric_limits<double>::quiet_NaN();
    const RunFigures figures = run_figures(run);
    CHECK(*figures.val_accuracy.best == Approx(0.36));
    CHECK(std::isnan(*figures.val_accuracy.final));
    CHECK(figures.best_epoch == 9);
    CHECK(*figures.loss.best == Approx(2.0 / 9));
}

TEST_CASE("Time is cut into compute, exchange, data and evaluation") {
    const RunFigures run = finished("vgg", 1, 0.8);
    CHECK(run.seconds == Approx(30.0));
    CHECK(run.time.exchange == Approx(5.0));
    CHECK(run.time.data == Approx(2.5));
    CHECK(run.time.evaluation == Approx(5.0));
    CHECK(run.time.compute == Approx(17.5));
    CHECK(run.time.total() == Approx(run.seconds));
    CHECK(seconds_to_accuracy(run, 0.2) == Approx(15.0));  // 0.04 x epoch
    CHECK_FALSE(seconds_to_accuracy(run, 0.41).has_value());
}

TEST_CASE("The seed leaves a name only at its end") {
    CHECK(name_without_seed("vgg-seed3", 3) == "vgg");
    CHECK(name_without_seed("vgg-seed3", 4) == "vgg-seed3");
    CHECK(name_without_seed("-seed3", 3) == "-seed3");
}

}  // namespace
}  // namespace lockstep::reports
