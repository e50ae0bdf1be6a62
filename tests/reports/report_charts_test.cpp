#include "reports/charts/report_charts.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "reports/figures/chance_level.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

storage::RunDetails seed(std::int64_t number, std::size_t epochs) {
    auto run = finished_run("net", number, 0.9);
    run.epochs.resize(epochs);
    for (auto& epoch : run.epochs) epoch.val_accuracy = 0.1 * static_cast<double>(number);
    return run;
}

Plot plot_of(const std::vector<Plot>& plots, const std::string& id) {
    const auto found = std::ranges::find(plots, id, &Plot::id);
    REQUIRE(found != plots.end());
    return *found;
}

bool has_plot(const std::vector<Plot>& plots, const std::string& end_of_id) {
    return std::ranges::any_of(plots,
                               [&](const Plot& plot) { return plot.id.ends_with(end_of_id); });
}

TEST_CASE(
    "A mean over seeds ends where the first of them does; that of those left is another line") {
    const auto report = report_of(RowsSource({seed(1, 10), seed(2, 10), seed(3, 4)}));
    const Plot plot = plot_of(learning_curves(report), "val-accuracy");
    REQUIRE(plot.series.size() == 2);
    const PlotSeries& all = plot.series[0];
    const PlotSeries& some = plot.series[1];
    CHECK(all.style == LineStyle::solid);
    REQUIRE(all.points.size() == 4);
    CHECK(all.points.back().y == Approx(0.2));  // of 0.1, 0.2 and 0.3
    CHECK(some.style == LineStyle::thin);
    CHECK(some.color == all.color);
    CHECK(some.label == "net, fewer seeds");
    REQUIRE(some.points.size() == 7);
    CHECK(some.points.front().x == 4.0);  // it begins where the other ends
    CHECK(some.points[1].y == Approx(0.15));
    CHECK(some.points.back().x == 10.0);
}

TEST_CASE("Seeds of equal length are one line") {
    const auto report = report_of(RowsSource({seed(1, 10), seed(2, 10)}));
    CHECK(plot_of(learning_curves(report), "val-accuracy").series.size() == 1);
}

TEST_CASE(
    "Losses of steps are a chart where they were recorded, a learning rate where it changes") {
    auto run = finished_run("net", 1, 0.9);
    const std::vector<Plot> plain = run_curves(run_figures(run));
    CHECK_FALSE(has_plot(plain, "-steps"));
    CHECK_FALSE(has_plot(plain, "-learning-rate"));
    run.epochs.back().learning_rate *= 0.1;
    const std::vector<storage::StepStretch> steps{{0, 10, 2.0, 1.0, 3.0}, {10, 5, 1.0, 0.5, 1.5}};
    const std::vector<Plot> plots = run_curves(run_figures(run), steps);
    CHECK(has_plot(plots, "-learning-rate"));
    const Plot plot = plot_of(plots, "net-00000001-steps");
    REQUIRE(plot.series.at(0).points.size() == 2);
    const PlotPoint& last = plot.series[0].points[1];
    CHECK(last.x == Approx(13.0));  // the middle of the 11th to the 15th step
    CHECK(last.y == 1.0);
    REQUIRE(last.range);
    CHECK(last.range->high == 1.5);
}

TEST_CASE("A curve has the points that are promised at most, the last epoch among them") {
    for (const int epochs : {2, 149, 150, 151, 298, 299, 300, 301, 1000, 10'000}) {
        CAPTURE(epochs);
        auto run = finished_run("net", 1, 0.5);
        run.epochs.resize(1);
        for (int i = 1; i < epochs; ++i) {
            run.epochs.push_back(run.epochs.front());
            run.epochs.back().epoch = i + 1;
        }
        const Plot plot = plot_of(run_curves(run_figures(run), {}), "net-00000001-loss");
        const std::vector<PlotPoint>& points = plot.series.at(0).points;
        CHECK(points.size() <= 150);  // docs/report.md
        CHECK(points.size() >= std::min<std::size_t>(static_cast<std::size_t>(epochs), 75));
        CHECK(points.front().x == 1.0);
        CHECK(points.back().x == static_cast<double>(epochs));
    }
}

TEST_CASE("No better than guessing is an accuracy whose interval reaches down to 1 / classes") {
    // Of 100 images and two classes Wilson's interval of 59 right is 0.492 to 0.681, of 60 right
    // 0.502 to 0.691.
    const auto is_at_chance_with = [](double accuracy) {
        return is_at_chance(run_figures(finished_run("a", 1, accuracy)));
    };
    CHECK(chance_level(run_figures(finished_run("a", 1, 0.5)).test_set) == 0.5);
    CHECK(is_at_chance_with(0.3));
    CHECK(is_at_chance_with(0.5));
    CHECK(is_at_chance_with(0.59));
    CHECK_FALSE(is_at_chance_with(0.60));
    CHECK_FALSE(is_at_chance(run_figures(queued_run("a"))));
    CHECK_FALSE(chance_level(TestSet{}));
}

TEST_CASE("An architecture guesses only if every finished run of it does") {
    const auto is_entry_at_chance = [](std::vector<storage::RunDetails> rows) {
        const auto report = report_of(RowsSource(std::move(rows)));
        REQUIRE(report.entries.size() == 1);
        return is_at_chance(report.entries[0], report.runs);
    };
    // 60 and 70 right of 100: Wilson's lower bounds are 0.502 and 0.604, both above 1 / 2. Their t
    // interval, 0.65 -+ 12.71 x 0.05, reaches from 0 to 1: two seeds say little of others.
    CHECK_FALSE(is_entry_at_chance({finished_run("a", 1, 0.6), finished_run("a", 2, 0.7)}));
    CHECK_FALSE(is_entry_at_chance({finished_run("a", 1, 0.8), finished_run("a", 2, 0.4)}));
    CHECK(is_entry_at_chance({finished_run("a", 1, 0.55), finished_run("a", 2, 0.4)}));
    auto begun = finished_run("a", 2, 0.9);
    begun.run.state = storage::RunState::running;
    begun.metrics.clear();
    CHECK(is_entry_at_chance({finished_run("a", 1, 0.55), begun}));
    CHECK_FALSE(is_entry_at_chance({queued_run("a")}));
}

}  // namespace
}  // namespace lockstep::reports
