// Conditions and columns over the settings of runs: `--where`, `--sort`, `--columns`.

#include "pipeline/store/run_table.hpp"

#include <string>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunSetting;
using storage::Cell;

// Runs a, b, c of two shuffled trainings, two batch sizes, and one without momentum's Nesterov.
reports::SettingsTable sample() {
    const auto text = [](const char* word) { return Cell(std::string(word)); };
    storage::Table runs{{"run", "batch_size"},
                        {{text("a"), std::int64_t{16}},
                         {text("b"), std::int64_t{16}},
                         {text("c"), std::int64_t{32}}}};
    const std::vector<std::vector<RunSetting>> settings{
        {{"train.batch_size", std::int64_t{16}},
         {"train.shuffle", text("true")},
         {"train.optimizer.nesterov", text("true")},
         {"train.steps_per_epoch", text("all")}},
        {{"train.batch_size", std::int64_t{16}},
         {"train.shuffle", text("false")},
         {"train.optimizer.nesterov", text("false")},
         {"train.steps_per_epoch", std::int64_t{10}}},
        {{"train.batch_size", std::int64_t{32}},
         {"train.shuffle", text("true")},
         {"train.steps_per_epoch", std::int64_t{3}}}};
    return reports::with_settings(std::move(runs), settings);
}

// The runs that are left, in one text.
std::string runs(const RowOptions& options) {
    const std::vector<std::string_view> usual{"run"};
    std::string text;
    for (const auto& row : chosen_rows(sample(), "v_runs", options, usual).rows)
        text += std::get<std::string>(row.front());
    return text;
}

std::string where(const std::string& condition) { return runs({condition, {}, {}, {}}); }

}  // namespace

TEST_CASE("where: settings that are true or false are truth values", "[pipeline]") {
    for (const char* condition :
         {"not shuffle", "shuffle = false", "shuffle is false", "train.shuffle = 'false'",
          "shuffle in ('false')", "shuffle <> true", "not \"train.shuffle\"", "shuffle = 0"}) {
        CAPTURE(condition);
        CHECK(where(condition) == "b");
    }
    for (const char* condition : {"nesterov", "nesterov = true", "optimizer.nesterov == 'true'",
                                  "nesterov is not 'false' and nesterov is not null"}) {
        CAPTURE(condition);
        CHECK(where(condition) == "a");
    }
    CHECK(where("nesterov is null") == "c");
    CHECK(where("shuffle and not nesterov is true") == "c");
    CHECK(where("shuffle = true and run <> 'true'") == "ac");  // a text stays one elsewhere
    CHECK(runs({{}, {"shuffle", "-run"}, {}, {}}) == "bca");
}

TEST_CASE("where: a setting's name may stand in any of SQL's quotes", "[pipeline]") {
    for (const char* condition : {"train.batch_size = 16", "\"train.batch_size\" = 16",
                                  "[train.batch_size] = 16", "`train.batch_size` = 16",
                                  "v_runs.batch_size = 16", "train.batch_size = 16 -- it's all"}) {
        CAPTURE(condition);
        CHECK(where(condition) == "ab");
    }
    CHECK(where("[steps_per_epoch] = 10") == "b");
    CHECK(where("run = 'train.batch_size = 16'").empty());
    CHECK_THROWS_AS(where("[train.batch_sise] = 16"), UsageError);
    CHECK_THROWS_AS(where("train.batch_sise = 16"), UsageError);
    CHECK(asked_columns(sample(), {"[steps_per_epoch] > 1 and run > 'a'", {"-shuffle"}, {}, {}}) ==
          std::vector<std::string>{"train.shuffle", "train.steps_per_epoch", "run"});
}

TEST_CASE("where: of a setting of numbers and words the numbers are numbers", "[pipeline]") {
    CHECK(where("steps_per_epoch >= 10") == "ab");  // words stand behind all numbers
    CHECK(where("steps_per_epoch < 10") == "c");
    CHECK(where("steps_per_epoch = 'all'") == "a");
    CHECK(runs({{}, {"steps_per_epoch"}, {}, {}}) == "cba");
}

}  // namespace lockstep::pipeline
