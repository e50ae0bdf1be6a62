// A user's words for a run, and the epochs that it has of a parent.

#include <stdexcept>
#include <string>
#include <vector>

#include "storage/database/database_check.hpp"
#include "storage/database/run_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Cell cell_of(const RunDatabase& database, const std::string& sql) {
    return database.run_query(sql).rows.at(0).at(0);
}

TEST_CASE("Tags are a set, sorted, in the view one text", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    database.annotate("a-1", {.added_tags = {"b", "a", "b"}});
    database.annotate("a-1", {.added_tags = {"C"}, .removed_tags = {"a", "z"}});
    CHECK(database.tags("a-1") == Words{"C", "b"});
    CHECK(database.run_details("a-1").tags == Words{"C", "b"});
    CHECK(cell_of(database, "SELECT tags FROM v_runs") == Cell(std::string("C b")));
    CHECK_THROWS_AS(database.annotate("a-1", {.added_tags = {"d", "no tag"}}),
                    std::invalid_argument);
    CHECK(database.tags("a-1") == Words{"C", "b"});
    CHECK_THROWS_AS(database.annotate("a-2", {.added_tags = {"d"}}), StorageError);
}

TEST_CASE("A run that is described anew, or started anew, keeps its note and tags", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    database.annotate("a-1", {.added_tags = {"good"}, .note = "mine"});
    database.put_run(sample_run("a-1"));
    database.begin_attempt(sample_attempt("a-1"), {});
    CHECK(database.find_run("a-1")->notes == "mine");
    CHECK(database.tags("a-1") == Words{"good"});
    database.annotate("a-1", {.note = ""});
    CHECK(database.find_run("a-1")->notes.empty());
}

TEST_CASE("A run has its parent's epochs as its own until it begins anew", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    begin_sample_run(database, "b-1");
    for (int epoch = 1; epoch <= 2; ++epoch)
        database.record_epoch(sample_epoch("a-1", epoch), {}, {});
    database.record_extension(1, {"b-1", "a-1", database.epochs("a-1"), {}, {}});
    CHECK(database.find_run("b-1")->parent_run == "a-1");
    CHECK(database.attempts("b-1").back().first_epoch == 3);
    CHECK(database.epochs("b-1").size() == 2);
    CHECK(cell_of(database, "SELECT epochs_finished FROM v_runs WHERE run = 'b-1'") ==
          Cell(std::int64_t{2}));
    database.begin_attempt(sample_attempt("b-1"), {.epochs_finished = 2, .steps_taken = 4});
    CHECK(database.find_run("b-1")->parent_run == "a-1");
    // Whoever was overtaken writes nothing.
    CHECK_THROWS_AS(database.record_extension(1, {"b-1", "z-1", {}, {}, {}}), StorageError);
    database.begin_attempt(sample_attempt("b-1"), {});
    CHECK(database.find_run("b-1")->parent_run.empty());
    CHECK(database.epochs("b-1").empty());
}

TEST_CASE("A database that is made again of its rows has the tags", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    {
        RunDatabase database(path, DatabaseAccess::read_write);
        begin_sample_run(database, "a-1");
        database.annotate("a-1", {.added_tags = {"good"}, .note = "mine"});
    }
    CHECK(rebuild_database(path, folder / "aside.db").cut_tables.empty());
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.tags("a-1") == Words{"good"});
    CHECK(database.find_run("a-1")->notes == "mine");
}

TEST_CASE("Finished runs are found by their epochs and their settings", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    database.put_experiment(sample_experiment());
    const auto add = [&](const std::string& run, int epochs, bool is_finished) {
        RunRow row = sample_run(run);
        row.epochs = epochs;
        row.config_digest = "c" + std::to_string(epochs);
        row.data_digest = "d";
        database.put_run(row);
        const int attempt = database.begin_attempt(sample_attempt(run), {});
        if (is_finished)
            database.end_attempt(run, attempt,
                                 {RunState::finished, "", "2026-03-01T12:00:00.000Z", {}, {}});
    };
    add("a-0", 0, true);
    add("a-2", 2, true);
    add("b-2", 2, true);
    add("a-3", 3, true);
    add("a-4", 4, false);
    add("a-5", 5, true);
    CHECK(database.finished_epochs("d", 5) == std::vector<int>{3, 2});
    CHECK(database.finished_epochs("e", 5).empty());
    CHECK(database.runs_of_config("c2").size() == 2);
    CHECK(database.running_runs() == Words{"a-4"});
}

}  // namespace
}  // namespace lockstep::storage
