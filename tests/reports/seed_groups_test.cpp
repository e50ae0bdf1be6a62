#include "reports/figures/seed_groups.hpp"

#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using Places = std::vector<std::size_t>;

// A finished run of seed 1, 2, ... with a config digest of its own for each seed.
storage::RunDetails trained(const std::string& name, std::int64_t seed) {
    auto run = finished_run(name, seed, 0.5);
    run.run.config_digest = "config of seed " + std::to_string(seed);
    run.run.created_utc = "2026-03-01T12:00:00.000Z";
    return run;
}

std::vector<SeedGroup> groups_of(const std::vector<storage::RunDetails>& rows) {
    std::vector<RunFigures> runs;
    for (const storage::RunDetails& row : rows) runs.push_back(run_figures(row));
    return seed_groups(runs);
}

TEST_CASE("One training under two ids counts once, the oldest finished one") {
    const auto groups = groups_of({trained("x-seed1", 1), trained("x", 1), trained("x-seed2", 2)});
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].runs == Places{1, 2});  // created at once: the first id
    REQUIRE(groups[0].repeats.size() == 1);
    CHECK(groups[0].repeats[0].run == 0);
    CHECK(groups[0].repeats[0].counted == 1);

    auto failed = trained("x", 1);
    failed.run.state = storage::RunState::failed;
    CHECK(groups_of({failed, trained("x-seed1", 1)})[0].runs == Places{1});
}

TEST_CASE("The same result twice makes no interval narrower") {
    std::vector<RunFigures> runs;
    for (const auto& row : {trained("x", 1), trained("x-seed1", 1), trained("x-seed2", 2)}) {
        runs.push_back(run_figures(row));
    }
    runs[2].test_accuracy = 0.7;
    const auto entries = leaderboard(runs);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].test_accuracy.estimate.count == 2);
    CHECK(entries[0].finished == 2);
    CHECK(entries[0].test_accuracy.estimate.mean == Approx(0.6));
}

TEST_CASE("Three stored rows of one training all name the one that counts") {
    auto interrupted = trained("x", 1);
    interrupted.run.state = storage::RunState::interrupted;
    auto failed = trained("x-seed1", 1);
    failed.run.state = storage::RunState::failed;
    auto finished = trained("x-seed1", 1);
    finished.run.run = "x-seed1-finished";
    const auto groups = groups_of({failed, interrupted, finished});
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].runs == Places{2});
    REQUIRE(groups[0].repeats.size() == 2);
    for (const RepeatedRun& repeat : groups[0].repeats) CHECK(repeat.counted == 2);
}

TEST_CASE("Seeds on other data are another architecture, and its name says which data") {
    auto other = trained("x-seed2", 2);
    other.run.data_digest = "6ecab20c5f0a91d3";
    const auto groups = groups_of({trained("x-seed1", 1), other});
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].name == "x (data a digest)");
    CHECK(groups[1].name == "x (data 6ecab20c)");
    CHECK(groups[0].test_set != groups[1].test_set);
}

TEST_CASE("A run that has read no data belongs to the one group of its settings") {
    auto queued = trained("x-seed2", 2);
    queued.run.state = storage::RunState::queued;
    queued.run.data_digest.clear();
    const auto groups = groups_of({queued, trained("x-seed1", 1)});
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].runs == Places{1, 0});
    CHECK(groups[0].test_set.data_digest == "a digest");

    auto other = trained("x-seed3", 3);
    other.run.data_digest = "6ecab20c5f0a91d3";
    const auto unclear = groups_of({queued, trained("x-seed1", 1), other});
    REQUIRE(unclear.size() == 3);
    CHECK(unclear[0].name == "x (data not read yet)");
}

TEST_CASE("A run that has not begun stands below the test set it can only have") {
    auto queued = queued_run("y");
    queued.run.data_digest.clear();
    const auto groups = groups_of({trained("x", 1), queued});
    REQUIRE(groups.size() == 2);
    CHECK(groups[1].test_set == groups[0].test_set);
}

TEST_CASE("One seed with two configurations is two designs, whatever an old row's path says") {
    auto first = trained("x", 1);
    auto second = trained("x", 1);
    first.run.effective_config += "[w]\ntrain.initial_weights = \"w.h5\"\n";
    second.run = first.run;
    second.run.run = "x-99999999";
    second.run.config_digest = "with the file's next content";
    const auto groups = groups_of({first, second});
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].name == "x-00000001");
    CHECK(groups[1].name == "x-99999999");
}

}  // namespace
}  // namespace lockstep::reports
