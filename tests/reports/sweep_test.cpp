#include "reports/figures/sweep.hpp"

#include <fmt/format.h>

#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;
using lockstep::storage::RunDetails;

namespace {

constexpr const char* kRate = "train.optimizer.learning_rate";
constexpr const char* kMomentum = "train.optimizer.momentum";

RunDetails run_of(const std::string& name, std::int64_t seed, double accuracy,
                  const std::string& rate, const std::string& momentum) {
    return with_setting(with_setting(finished_run(name, seed, accuracy), kRate, rate), kMomentum,
                        momentum);
}

Sweep sweep(const std::vector<RunDetails>& rows, const std::vector<SettingName>& keys) {
    std::vector<RunFigures> runs;
    for (const RunDetails& each : rows) runs.push_back(run_figures(each));
    return sweep_of(runs, leaderboard(runs), keys);
}

const std::vector<SettingName> kBoth{{kRate, "learning_rate"}, {kMomentum, "momentum"}};

// Two rates, two momenta, two seeds: the rate tells all, but for 0.01 between seeds.
std::vector<RunDetails> grid() {
    std::vector<RunDetails> rows;
    for (const char* rate : {"0.1", "0.001"})
        for (const char* momentum : {"0.9", "0.0"})
            for (const int seed : {1, 2})
                rows.push_back(run_of(fmt::format("n-{}-{}", rate, momentum), seed,
                                      (rate == std::string("0.1") ? 0.8 : 0.5) + 0.01 * seed, rate,
                                      momentum));
    return rows;
}

}  // namespace

TEST_CASE("sweep: factors, levels by size, the strongest first", "[reports]") {
    const Sweep found = sweep(grid(), {kBoth[1], kBoth[0]});
    REQUIRE(found.settings.size() == 2);
    CHECK(found.settings[0].name.key == kRate);
    CHECK(found.settings[0].levels == std::vector<Cell>{0.001, 0.1});
    CHECK(found.settings[0].is_geometric);
    CHECK(found.settings[1].levels == std::vector<Cell>{0.0, 0.9});
    CHECK_FALSE(found.settings[1].is_geometric);  // 0 has no logarithm
    CHECK(found.settings[0].factor.level_of[0] == 1);
    REQUIRE(found.effects);
    CHECK(found.effects->is_complete);
    CHECK(*found.effects->factors[0].share == Approx(0.18 / 0.1802));
    CHECK(*found.effects->factors[1].share == Approx(0.0).margin(1e-12));
    CHECK(found.effects->seeds.degrees == 4);
    const auto pairs = setting_pairs(found);
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].share == Approx(0.18 / 0.1802));
}

TEST_CASE("sweep: a run without a setting has a level of its own, before numbers", "[reports]") {
    auto rows = grid();
    rows.push_back(with_setting(finished_run("n-without", 1, 0.4), kRate, "0.1"));
    const Sweep found = sweep(rows, kBoth);
    const auto momentum = std::ranges::find(found.settings, kMomentum,
                                            [](const auto& each) { return each.name.key; });
    REQUIRE(momentum != found.settings.end());
    CHECK(momentum->levels == std::vector<Cell>{Cell(), 0.0, 0.9});
    CHECK(momentum->is_numeric);
}

TEST_CASE("sweep: settings that change only together are one", "[reports]") {
    std::vector<RunDetails> rows;
    for (const int seed : {1, 2}) {
        rows.push_back(run_of("a", seed, 0.5 + 0.01 * seed, "0.1", "0.9"));
        rows.push_back(run_of("b", seed, 0.6 + 0.01 * seed, "0.01", "0.5"));
    }
    const Sweep found = sweep(rows, kBoth);
    REQUIRE(found.settings.size() == 1);
    REQUIRE(found.settings[0].followers.size() == 1);
    CHECK(found.settings[0].followers[0].name.key == kMomentum);
}

TEST_CASE("sweep: networks are one setting, and what follows them is none", "[reports]") {
    std::vector<RunDetails> rows;
    for (const char* network : {"wide", "deep", "slow"})
        for (const char* rate : {"0.1", "0.01"}) {
            auto run = run_of(fmt::format("{}-rate{}", network, rate), 1, 0.5, rate,
                              network == std::string("wide") ? "0.9" : "0.5");
            run.run.effective_config += fmt::format("activation = \"{}\"\n", network);
            rows.push_back(run);
        }
    const Sweep found = sweep(rows, kBoth);
    REQUIRE(found.settings.size() == 2);
    const auto network = std::ranges::find(found.settings, kNetworkKey,
                                           [](const auto& each) { return each.name.key; });
    REQUIRE(network != found.settings.end());
    CHECK(network->levels ==
          std::vector<Cell>{std::string("deep"), std::string("slow"), std::string("wide")});
    REQUIRE(network->followers.size() == 1);
    CHECK(network->followers[0].name.key == kMomentum);
}

TEST_CASE("sweep: unfinished runs and other test sets are counted, not analysed", "[reports]") {
    auto rows = grid();
    auto failed = run_of("late", 1, 0.9, "1.0", "0.9");
    failed.run.state = lockstep::storage::RunState::failed;
    rows.push_back(failed);
    auto other = run_of("other", 1, 0.9, "0.1", "0.9");
    other.run.data_digest = "another digest";
    rows.push_back(other);
    auto nan = run_of("nan", 1, std::nan(""), "0.1", "0.99");
    rows.push_back(nan);
    const Sweep found = sweep(rows, kBoth);
    CHECK(found.runs.size() == 8);
    CHECK(found.unfinished == 2);
    CHECK(found.other_test_sets == 1);
    CHECK(found.effects->is_complete);
    CHECK(found.settings[0].values.size() == rows.size());
}

TEST_CASE("sweep: one value among finished runs is no factor", "[reports]") {
    auto first = run_of("a", 1, 0.5, "0.1", "0.9");
    auto second = run_of("b", 1, 0.5, "0.01", "0.9");
    second.run.state = lockstep::storage::RunState::interrupted;
    const Sweep found = sweep({first, second}, {kBoth[0]});
    CHECK(found.settings.empty());
    REQUIRE(found.others.size() == 1);
    CHECK(found.others[0].levels == std::vector<Cell>{0.1});
    CHECK(sweep({}, {}).runs.empty());
    CHECK_FALSE(sweep({}, {}).effects);
}

TEST_CASE("sweep: what cannot change a result is no setting", "[reports]") {
    auto first = with_setting(finished_run("a", 1, 0.5), "train.record_steps", "true");
    auto second = with_setting(finished_run("b", 1, 0.5), "train.record_steps", "false");
    const Sweep found = sweep({first, second}, {{"train.record_steps", "record_steps"}});
    CHECK(found.settings.empty());
    CHECK(found.others.empty());
}
