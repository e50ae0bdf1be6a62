#include "reports/figures/run_settings.hpp"

#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;

namespace {

constexpr std::string_view kConfig = R"(# Every value of this run and its origin
schema = 1

[experiment]
name = "e"

[[run]]
name = "a"  # my.toml:3
title = "A title"  # my.toml:4
expect.accuracy = [0.5, 0.6]  # my.toml:5
data.path = "data # \"1\""  # default
data.validation = { first = 5000 }  # default
train.batch_size = 32  # sweep (my.toml:9)
train.optimizer.momentum = 0.9  # --set
train.optimizer.learning_rate = 1e-05  # --set
train.shuffle = true  # default

[[run.layers]]
type = "conv2d"  # my.toml:12
name = "stem"  # my.toml:12
kernel_size = [3, 3]  # my.toml:12

[[run.layers]]
type = "flatten"  # my.toml:13
name = "flatten"  # default
)";

Cell value_of(const std::vector<RunSetting>& settings, std::string_view key) {
    for (const RunSetting& each : settings)
        if (each.key == key) return each.value;
    return std::string("no such key");
}

}  // namespace

TEST_CASE("settings: flat keys with numbers as numbers, texts without quotes, layers by name",
          "[reports]") {
    const auto settings = run_settings(kConfig);
    CHECK(value_of(settings, "train.batch_size") == Cell(std::int64_t{32}));
    CHECK(value_of(settings, "train.optimizer.momentum") == Cell(0.9));
    CHECK(value_of(settings, "train.optimizer.learning_rate") == Cell(1e-5));
    CHECK(value_of(settings, "train.shuffle") == Cell(std::string("true")));
    CHECK(value_of(settings, "data.path") == Cell(std::string("data # \"1\"")));
    CHECK(value_of(settings, "data.validation") == Cell(std::string("{ first = 5000 }")));
    CHECK(value_of(settings, "layers.stem.kernel_size") == Cell(std::string("[3, 3]")));
    CHECK(value_of(settings, "layers.flatten.type") == Cell(std::string("flatten")));
}

TEST_CASE("settings: what describes a run is none", "[reports]") {
    for (const RunSetting& each : run_settings(kConfig)) {
        CAPTURE(each.key);
        CHECK(each.key.find("name") == std::string::npos);
        CHECK(each.key != "title");
        CHECK_FALSE(each.key.starts_with("expect"));
    }
    CHECK(run_settings("").empty());
}

TEST_CASE("settings: as JSON every value keeps its type", "[reports]") {
    CHECK(settings_json({{"a.b", std::int64_t{32}}, {"c", 1e-05}, {"d", std::string("x\"y")}}) ==
          R"({"a.b":32,"c":1e-05,"d":"x\"y"})");
    CHECK(settings_json({}) == "{}");
}
