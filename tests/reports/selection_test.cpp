#include "reports/figures/selection.hpp"

#include <cmath>
#include <numbers>

#include "reports/figures/standing.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::RunDetails;

namespace {

// A run of its own design whose weights of the last epoch had this validation accuracy.
RunDetails run_of(const std::string& name, std::int64_t seed, double test, double validation) {
    RunDetails run = with_setting(finished_run(name, seed, test), "train.x", '"' + name + '"');
    run.epochs.back().val_accuracy = validation;
    return run;
}

struct Board {
    explicit Board(const std::vector<RunDetails>& rows) {
        for (const RunDetails& each : rows) runs.push_back(run_figures(each));
        entries = leaderboard(runs);
    }
    std::vector<RunFigures> runs;
    std::vector<ArchitectureFigures> entries;
};

const std::vector<RunDetails> kThree{
    run_of("a", 1, 0.50, 0.41), run_of("a", 2, 0.52, 0.41), run_of("a", 3, 0.54, 0.41),
    run_of("b", 1, 0.51, 0.44), run_of("b", 2, 0.50, 0.46), run_of("b", 3, 0.46, 0.42),
    run_of("c", 1, 0.30, 0.20), run_of("c", 2, 0.34, 0.20), run_of("c", 3, 0.29, 0.20)};

}  // namespace

TEST_CASE("selection: the best of three, and the one that validation chooses", "[reports]") {
    const Board board(kThree);
    const auto all = selections(board.runs, board.entries);
    REQUIRE(all.size() == 1);
    CHECK(all[0].candidates == 3);
    CHECK(all[0].runs == 9);
    CHECK(board.entries[all[0].first].name == "a");
    // Squares within a, b, c: 0.0008, 0.0014, 0.0014 over 6 degrees; 3 seeds each.
    CHECK(*all[0].expected_excess ==
          Approx(1.5 / std::sqrt(std::numbers::pi) * std::sqrt(0.0036 / 6.0 / 3.0)));
    REQUIRE(all[0].by_validation);
    CHECK(board.entries[*all[0].by_validation].name == "b");
    CHECK(all[0].validation_accuracy == Approx(0.44));
}

TEST_CASE("selection: validation on the test set chooses nothing clean", "[reports]") {
    auto rows = kThree;
    rows[8].run.validates_on_test_set = true;
    const Board board(rows);
    const auto all = selections(board.runs, board.entries);
    REQUIRE(all.size() == 1);
    CHECK_FALSE(all[0].by_validation);
}

TEST_CASE("selection: where validation is tied it chooses none, or the test set would",
          "[reports]") {
    auto rows = kThree;
    for (std::size_t i = 3; i < 6; ++i) rows[i].epochs.back().val_accuracy = 0.41;
    const Board board(rows);
    const auto all = selections(board.runs, board.entries);
    REQUIRE(all.size() == 1);
    CHECK(all[0].is_tied);
    CHECK_FALSE(all[0].by_validation);
    // A tie below the best one is none.
    rows[0].epochs.back().val_accuracy = 0.9;
    for (std::size_t i = 6; i < 9; ++i) rows[i].epochs.back().val_accuracy = 0.41;
    const Board other(rows);
    CHECK(selections(other.runs, other.entries)[0].by_validation == 0);
}

TEST_CASE("selection: of two, of other test sets, of unfinished runs there is none", "[reports]") {
    auto rows = kThree;
    for (std::size_t i = 6; i < 9; ++i) rows[i].run.data_digest = "another digest";
    CHECK(selections(Board(rows).runs, Board(rows).entries).empty());
    rows = kThree;
    for (std::size_t i = 6; i < 9; ++i) rows[i].run.state = lockstep::storage::RunState::failed;
    CHECK(selections(Board(rows).runs, Board(rows).entries).empty());
}

TEST_CASE("selection: one seed each leaves the noise unknown", "[reports]") {
    const Board board({kThree[0], kThree[3], kThree[6]});
    const auto all = selections(board.runs, board.entries);
    REQUIRE(all.size() == 1);
    CHECK_FALSE(all[0].expected_excess);
}

TEST_CASE("selection: the validation figure is that of the weights that were tested", "[reports]") {
    auto run = finished_run("a", 1, 0.5);
    run.metrics.back().value = 3.0;  // weights_epoch
    CHECK(own_val_accuracy(run_figures(run)) == run.epochs[2].val_accuracy);
    run.metrics.pop_back();
    CHECK(own_val_accuracy(run_figures(run)) == run.epochs[9].val_accuracy);
    run.run.validates_on_test_set = true;
    CHECK_FALSE(own_val_accuracy(run_figures(run)));
}

// a and b: means 0.52 and 0.49, scatters 0.02 and 0.02645751; c is far below. Three pairs.
TEST_CASE("standing: by the pairs' own tests, corrected for all of them", "[reports]") {
    const Board board(kThree);
    const auto tests = pair_tests(board.entries, board.entries);
    const Standing standing = standing_of(board.entries, tests, 0);
    CHECK(standing.others == 2);
    CHECK(standing.family == 3);
    REQUIRE(standing.worse.size() == 1);
    CHECK(board.entries[standing.worse[0]].name == "c");
    REQUIRE(standing.equal.size() == 1);
    CHECK(board.entries[standing.equal[0]].name == "b");
    CHECK(standing.untested.empty());
    CHECK(standing.largest_p_value == test_of(tests, 0, 2)->adjusted_p_value);
    // Seen from b it is the same, but for the order.
    CHECK(standing_of(board.entries, tests, 1).equal == std::vector<std::size_t>{0});
}

TEST_CASE("standing: what has one seed is not tested", "[reports]") {
    const Board board({kThree[0], kThree[1], kThree[3], kThree[4], kThree[6]});
    const Standing standing =
        standing_of(board.entries, pair_tests(board.entries, board.entries), 0);
    CHECK(standing.others == 2);
    REQUIRE(standing.untested.size() == 1);
    CHECK(board.entries[standing.untested[0]].name == "c");
    CHECK(standing.worse.size() + standing.equal.size() == 1);
}
