#include "reports/tables/setting_columns.hpp"

#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;
using lockstep::storage::Table;

namespace {

using Settings = std::vector<RunSetting>;

Settings of_run(double momentum, std::int64_t filters, std::int64_t seed) {
    return {{"train.seed", seed},
            {"train.optimizer.learning_rate", 0.1},
            {"train.optimizer.momentum", momentum},
            {"layers.conv2d.type", std::string("conv2d")},
            {"layers.conv2d.filters", filters},
            {"layers.conv2d_1.filters", std::int64_t{8}}};
}

SettingsTable table_of(const std::vector<Settings>& settings) {
    Table table{{"name", "learning_rate"}, {}};
    for (std::size_t i = 0; i < settings.size(); ++i)
        table.rows.push_back({"run" + std::to_string(i), 0.01});
    return with_settings(table, settings);
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("setting columns: every key is one, empty where a run has it not", "[reports]") {
    Settings other = of_run(0.9, 16, 2);
    other.push_back({"train.schedule.name", std::string("cosine")});
    const SettingsTable both = table_of({of_run(0.5, 16, 1), other});
    CHECK(both.first == 2);
    REQUIRE(both.table.columns.size() == 9);
    CHECK(both.table.columns[8] == "train.schedule.name");
    CHECK(both.table.rows[0][8] == Cell());
    CHECK(both.table.rows[1][8] == Cell(std::string("cosine")));
    CHECK(both.table.rows[0][4] == Cell(0.5));
    CHECK(table_of({}).table.columns == Keys{"name", "learning_rate"});
}

TEST_CASE("setting columns: what differs is told, but for seeds", "[reports]") {
    CHECK(differing_settings(table_of({of_run(0.5, 16, 1), of_run(0.9, 16, 2)})) ==
          Keys{"train.optimizer.momentum"});
    CHECK(differing_settings(table_of({of_run(0.5, 16, 1), of_run(0.5, 32, 1)})) ==
          Keys{"layers.conv2d.filters"});
    CHECK(differing_settings(table_of({of_run(0.5, 16, 1)})).empty());
    CHECK(differing_settings(table_of({})).empty());
}

TEST_CASE("setting columns: layers of other networks are not compared", "[reports]") {
    Settings other = of_run(0.9, 32, 1);
    other.push_back({"layers.dense.type", std::string("dense")});
    CHECK(differing_settings(table_of({of_run(0.5, 16, 1), other})) ==
          Keys{"train.optimizer.momentum"});
}

TEST_CASE("setting columns: the end of a key is enough where it means one", "[reports]") {
    const SettingsTable one = table_of({of_run(0.5, 16, 1)});
    CHECK(meant_column(one, "momentum").found == "train.optimizer.momentum");
    CHECK(meant_column(one, "optimizer.momentum").found == "train.optimizer.momentum");
    CHECK(meant_column(one, "conv2d.filters").found == "layers.conv2d.filters");
    CHECK(meant_column(one, "learning_rate").found == "learning_rate");  // the column of that name
    CHECK(meant_column(one, "filters").found.empty());
    CHECK(meant_column(one, "filters").choices ==
          Keys{"layers.conv2d.filters", "layers.conv2d_1.filters"});
    CHECK(meant_column(one, "mentum").found.empty());
    CHECK(meant_column(one, "mentum").choices.empty());
}

TEST_CASE("setting columns: short names are the shortest that mean the same", "[reports]") {
    const SettingsTable one = table_of({of_run(0.5, 16, 1)});
    for (std::size_t i = one.first; i < one.table.columns.size(); ++i) {
        const std::string& key = one.table.columns[i];
        CHECK(meant_column(one, short_name(one, key)).found == key);
    }
    CHECK(short_name(one, "train.optimizer.momentum") == "momentum");
    CHECK(short_name(one, "train.optimizer.learning_rate") == "optimizer.learning_rate");
    CHECK(short_name(one, "layers.conv2d.filters") == "conv2d.filters");
}

TEST_CASE("setting columns: a layer's key takes no name from another setting", "[reports]") {
    Settings normalized = of_run(0.5, 16, 1);
    normalized.push_back({"layers.batch_normalization.momentum", 0.99});
    const SettingsTable one = table_of({normalized});
    CHECK(meant_column(one, "momentum").found == "train.optimizer.momentum");
    CHECK(short_name(one, "train.optimizer.momentum") == "momentum");
    CHECK(short_name(one, "layers.batch_normalization.momentum") == "batch_normalization.momentum");
    normalized.push_back({"train.schedule.momentum", 0.1});
    CHECK(meant_column(table_of({normalized}), "momentum").choices.size() == 3);
}
