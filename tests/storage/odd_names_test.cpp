// Names that would mean something in a statement or a pattern: everywhere they are texts alone.

#include <algorithm>
#include <string>
#include <vector>

#include "storage/database/row_selection.hpp"
#include "storage/database/run_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

const std::vector<std::string> kNames{
    "'); DROP TABLE runs;--",     "%",           "_", "\\",    "a%", "a_",
    "\"; DELETE FROM epochs; --", "' OR '1'='1", "*", "[a-z]", "ab"};

// A run of each name, in an experiment of the same name, with one epoch, a tag and a note.
void fill(RunDatabase& database) {
    for (const std::string& name : kNames) {
        ExperimentRow experiment = sample_experiment();
        experiment.name = name;
        database.put_experiment(experiment);
        RunRow run = sample_run(name + "-1");
        run.experiment = name;
        run.name = name;
        database.put_run(run);
        database.begin_attempt(sample_attempt(run.run), {});
        database.record_epoch(sample_epoch(run.run, 1), {}, {});
        database.annotate(run.run, {.added_tags = {"t"}, .note = name});
    }
}

}  // namespace

TEST_CASE("odd names: each finds its own run and no other", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    fill(database);
    for (const std::string& name : kNames) {
        CAPTURE(name);
        const std::string run = name + "-1";
        REQUIRE(database.match_runs(name).size() == 1);
        CHECK(database.match_runs(name).front().run == run);
        REQUIRE(database.runs(name).size() == 1);
        CHECK(database.runs(name).front().run == run);
        CHECK(database.find_run(run)->name == name);
        CHECK(database.find_run(run)->notes == name);
        CHECK(database.tags(run) == std::vector<std::string>{"t"});
        CHECK(database.epochs(run).size() == 1);
        CHECK(database.runs_table(name).rows.size() == 1);
        CHECK(database.epochs_table(run).rows.size() == 1);
    }
    CHECK(database.match_runs("%b").empty());
    CHECK(database.match_runs("a?").empty());
    CHECK(database.match_runs("__").empty());
    CHECK(database.runs().size() == kNames.size());
}

TEST_CASE("odd names: a run is removed alone", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    fill(database);
    std::size_t left = kNames.size();
    for (const std::string& name : kNames) {
        CAPTURE(name);
        database.remove_run(name + "-1");
        CHECK(database.runs().size() == --left);
    }
    CHECK(database.experiments().empty());
}

TEST_CASE("odd names: selections over a table compare and quote them", "[storage]") {
    Table table{{"name", "%", "a\"b", "'); DROP TABLE v_runs;--"}, {}};
    for (const std::string& name : kNames) table.rows.push_back({name, name, name, name});
    for (const std::string& column : table.columns) {
        CAPTURE(column);
        RowSelection selection;
        selection.sort = {{column, true}};
        selection.columns = {column};
        const Table sorted = select_rows(table, "v_runs", selection);
        std::vector<std::string> expected = kNames;
        std::ranges::sort(expected, std::greater<>());
        REQUIRE(sorted.rows.size() == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
            CHECK(sorted.rows[i] == std::vector<Cell>{expected[i]});
    }
    RowSelection percent;
    percent.where = "name = '%'";
    CHECK(select_rows(table, "v_runs", percent).rows.size() == 1);
}

}  // namespace lockstep::storage
