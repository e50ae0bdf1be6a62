#include "reports/figures/next_steps.hpp"

#include <fmt/format.h>

#include "reports/tables/sweep_table.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

// Two seeds of each rate, apart by 0.02, with these mean accuracies.
Sweep sweep_of_rates(const std::vector<std::pair<const char*, double>>& means, int seeds = 2) {
    std::vector<storage::RunDetails> rows;
    for (const auto& [rate, mean] : means) {
        for (int seed = 1; seed <= seeds; ++seed) {
            const double accuracy = seeds == 1 ? mean : mean + (seed == 1 ? -0.01 : 0.01);
            rows.push_back(with_setting(finished_run(fmt::format("n-{}", rate), seed, accuracy),
                                        "train.optimizer.learning_rate", rate));
        }
    }
    return report_sweep(report_of(RowsSource(std::move(rows))));
}

std::vector<EdgeSetting> edges(const std::vector<std::pair<const char*, double>>& means,
                               int seeds = 2) {
    return settings_at_an_edge(sweep_of_rates(means, seeds));
}

// A finished run with these validation accuracies, of so many planned epochs.
RunFigures validated(const std::vector<double>& accuracies, int planned) {
    storage::RunDetails run = finished_run("a", 1, 0.5);
    run.epochs.resize(accuracies.size());
    for (std::size_t i = 0; i < accuracies.size(); ++i) run.epochs[i].val_accuracy = accuracies[i];
    run.run.epochs = planned;
    return run_figures(run);
}

TEST_CASE("next steps: a best value at the end of those tried", "[reports]") {
    const auto largest = edges({{"0.1", 0.2}, {"0.2", 0.4}, {"0.4", 0.7}});
    REQUIRE(largest.size() == 1);
    CHECK(largest[0].setting == 0);
    CHECK(largest[0].level == 2);
    CHECK(largest[0].is_largest);
    const auto smallest = edges({{"0.1", 0.7}, {"0.2", 0.4}, {"0.4", 0.2}});
    REQUIRE(smallest.size() == 1);
    CHECK_FALSE(smallest[0].is_largest);
    CHECK(smallest[0].level == 0);
}

TEST_CASE("next steps: nothing of a best value between others, of 0, of words, of noise",
          "[reports]") {
    CHECK(edges({{"0.1", 0.2}, {"0.2", 0.7}, {"0.4", 0.4}}).empty());
    CHECK(edges({{"0", 0.7}, {"0.2", 0.4}, {"0.4", 0.2}}).empty());
    CHECK(edges({{"\"sgd\"", 0.2}, {"\"adam\"", 0.7}}).empty());
    // Means 0.002 apart, seeds 0.02.
    CHECK(edges({{"0.1", 0.500}, {"0.2", 0.502}}).empty());
    CHECK(settings_at_an_edge({}).empty());
    // Without a second seed nothing speaks against it.
    CHECK(edges({{"0.1", 0.500}, {"0.2", 0.502}}, 1).size() == 1);
}

TEST_CASE("next steps: runs whose last epoch is better than all before", "[reports]") {
    const std::vector<RunFigures> runs{validated({0.1, 0.2, 0.3}, 3), validated({0.1, 0.3, 0.3}, 3),
                                       validated({0.3, 0.2, 0.25}, 3),
                                       validated({0.1, 0.2}, 3),  // stopped early
                                       validated({0.5}, 1)};
    const LastEpochs last = last_epochs(runs, std::vector<std::size_t>{0, 1, 2, 3, 4});
    CHECK(last.runs == 3);
    CHECK(last.rising == 1);
    CHECK(last_epochs({}, {}).runs == 0);
    CHECK(last_epochs(runs, std::vector<std::size_t>{1, 2}).rising == 0);
    storage::RunDetails without = finished_run("a", 1, 0.5);
    for (auto& epoch : without.epochs) epoch.val_accuracy.reset();
    CHECK(last_epochs({run_figures(without)}, std::vector<std::size_t>{0}).runs == 0);
}

}  // namespace
}  // namespace lockstep::reports
