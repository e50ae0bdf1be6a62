// A database of an older version: read as it is, and brought up to date by whoever may write.

#include <SQLiteCpp/SQLiteCpp.h>

#include <limits>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "tests/storage/old_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

constexpr const char* kAllRuns = "SELECT * FROM v_runs ORDER BY run";
constexpr const char* kBest = "SELECT * FROM v_best ORDER BY run";

void record(RunDatabase& database, const std::string& run, int epoch, double val_accuracy) {
    EpochRow row = sample_epoch(run, epoch);
    row.val_accuracy = val_accuracy;
    database.record_epoch(row, {}, {});
}

std::string schema_of(const fs::path& path) {
    const SQLite::Database raw(path.string(), SQLite::OPEN_READONLY);
    SQLite::Statement names(raw,
                            "SELECT group_concat(name || ' ' || type) FROM "
                            "(SELECT m.name, p.name AS type FROM sqlite_schema m, "
                            "pragma_table_info(m.name) p ORDER BY m.name, p.cid)");
    names.executeStep();
    return names.getColumn(0).getString();
}

}  // namespace

TEST_CASE("upgrade: a reader sees an older version as the newest, and changes nothing",
          "[storage]") {
    const int version = GENERATE(1, 2, 3, 4, 5, 6, 7, 8);
    CAPTURE(version);
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    const RunDatabase fresh(path, DatabaseAccess::read_only);
    const Table runs = fresh.runs_table();
    const Table asked = fresh.run_query(kAllRuns);
    const Table best = fresh.run_query(kBest);
    make_version(version, path);
    const Bytes before = read_file(path);
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.runs_table().rows == runs.rows);
    CHECK(database.runs_table().columns == runs.columns);
    CHECK(database.run_query(kAllRuns).rows == asked.rows);
    CHECK(database.run_query(kBest).rows == best.rows);
    CHECK(database.runs("tutorials").size() == 2);
    CHECK(database.find_run("a-1")->design_digest.empty());
    CHECK(read_file(path) == before);
}

TEST_CASE("upgrade: a writer brings an older version up to date, and goes on", "[storage]") {
    const int version = GENERATE(1, 2, 3, 4, 5, 6, 7, 8);
    CAPTURE(version);
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    const Table runs = RunDatabase(path, DatabaseAccess::read_only).runs_table();
    const std::string schema = schema_of(path);
    make_version(version, path);
    RunDatabase database(path, DatabaseAccess::read_write);
    CHECK(database.run_query("PRAGMA user_version").rows.at(0).at(0) ==
          Cell(std::int64_t{kSchemaVersion}));
    CHECK(database.runs_table().rows == runs.rows);
    CHECK(schema_of(path) == schema);
    CHECK(database.runs("tutorials").size() == 2);
    record(database, "a-1", 4, 0.75);
    CHECK(database.run_query("SELECT best_epoch, epochs_finished FROM v_runs WHERE run = 'a-1'")
              .rows.at(0) == std::vector<Cell>{std::int64_t{4}, std::int64_t{4}});
}

TEST_CASE("upgrade: rows that are older than version 5 learn their settings", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_version(4, path);
    RunDatabase database(path, DatabaseAccess::read_write);
    constexpr const char* kMomentum = "SELECT value FROM v_settings WHERE key = 'a.b' ORDER BY run";
    CHECK(database.run_query(kMomentum).rows.empty());
    RunRow row = *database.find_run("a-1");
    row.settings = R"({"a.b":0.5,"a.c":"same"})";
    database.put_settings(std::vector{row});
    CHECK(database.run_query(kMomentum).rows == std::vector<std::vector<Cell>>{{0.5}});
    CHECK(database.run_query(R"(SELECT settings ->> '$."a.c"' FROM v_runs WHERE run = 'a-1')")
              .rows.at(0)
              .at(0) == Cell(std::string("same")));
    CHECK(database.find_run("b-1")->settings == "{}");
}

TEST_CASE("upgrade: rows that are older than version 3 learn their designs", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_version(2, path);
    RunDatabase database(path, DatabaseAccess::read_write);
    RunRow row = *database.find_run("a-1");
    CHECK(row.design_name.empty());
    row.design_name = std::string("a");
    row.design_digest = std::string("d7");
    row.initial_weights_sha256 = std::string("w7");
    database.put_designs(std::vector{row});
    CHECK(database.find_run("a-1")->design_name == "a");
    CHECK(database.find_run("a-1")->initial_weights_sha256 == "w7");
    CHECK(database.find_run("b-1")->design_digest.empty());
    CHECK(
        database.run_query("SELECT design_digest FROM v_runs WHERE run = 'a-1'").rows.at(0).at(0) ==
        Cell(std::string("d7")));
}

TEST_CASE("totals: they follow the epochs through resumes and deletions", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    const auto totals = [&] {
        return database.run_query(
            "SELECT epochs_finished, best_epoch, val_accuracy, all_epochs_seconds FROM v_runs");
    };
    CHECK(totals().rows.at(0) == std::vector<Cell>{std::int64_t{0}, Cell(), Cell(), Cell()});
    for (int epoch = 1; epoch <= 3; ++epoch) record(database, "a-1", epoch, 0.125 * epoch);
    record(database, "a-1", 3, 0.0);  // trained again: the row changes
    CHECK(totals().rows.at(0) ==
          std::vector<Cell>{std::int64_t{3}, std::int64_t{2}, 0.0, 3 * 12.5});
    database.begin_attempt(sample_attempt("a-1"), {.epochs_finished = 1, .steps_taken = 2});
    CHECK(totals().rows.at(0) == std::vector<Cell>{std::int64_t{1}, std::int64_t{1}, 0.125, 12.5});
    delete_as_users_do(folder / "lockstep.db", "a-1");
    CHECK(database.run_query("SELECT * FROM run_totals").rows.empty());
}

TEST_CASE("totals: a NaN in validation is no best epoch, however well training went", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    record(database, "a-1", 1, 0.25);
    EpochRow row = sample_epoch("a-1", 2);
    row.accuracy = 1.0;
    row.val_accuracy = std::numeric_limits<double>::quiet_NaN();
    database.record_epoch(row, {}, {});
    CHECK(database.run_query("SELECT best_epoch FROM v_runs").rows.at(0).at(0) ==
          Cell(std::int64_t{1}));
}

// From a NaN a class is predicted all the same, and may be right.
TEST_CASE("totals: an accuracy beside a loss that is a NaN is the best only where no other is",
          "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    EpochRow row = sample_epoch("a-1", 1);
    row.val_loss = std::numeric_limits<double>::quiet_NaN();
    row.val_accuracy = 0.9;
    database.record_epoch(row, {}, {});
    const auto best = [&] {
        return database.run_query("SELECT best_epoch, is_nan FROM v_runs").rows.at(0);
    };
    CHECK(best() == std::vector<Cell>{std::int64_t{1}, std::int64_t{1}});
    record(database, "a-1", 2, 0.25);
    CHECK(best() == std::vector<Cell>{std::int64_t{2}, std::int64_t{0}});
}

TEST_CASE("totals: how long ranks stood still is added up, and not known of older rows",
          "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_version(7, path);
    RunDatabase database(path, DatabaseAccess::read_write);
    const auto stopped = [&] {
        return database.run_query("SELECT stopped_seconds FROM v_runs WHERE run = 'a-1'")
            .rows.at(0)
            .at(0);
    };
    CHECK(stopped() == Cell());
    for (int epoch = 4; epoch <= 5; ++epoch) {
        EpochRow row = sample_epoch("a-1", epoch);
        row.stopped_seconds = 2.5;
        database.record_epoch(row, {}, {});
    }
    CHECK(stopped() == Cell(5.0));
    CHECK_FALSE(database.epochs("a-1").front().stopped_seconds);
    CHECK(database.epochs("a-1").back().stopped_seconds == 2.5);
}

TEST_CASE("upgrade: of five likeliest classes rows that are older than version 9 know nothing",
          "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_version(8, path);
    RunDatabase database(path, DatabaseAccess::read_write);
    EpochRow row = sample_epoch("a-1", 4);
    row.val_top_5_accuracy = 0.875;
    database.record_epoch(row, {}, {});
    CHECK_FALSE(database.epochs("a-1").at(2).val_top_5_accuracy);
    CHECK(database.epochs("a-1").at(3).val_top_5_accuracy == 0.875);
    CHECK(database.run_query("SELECT val_top_5_accuracy FROM v_runs WHERE run = 'a-1'")
              .rows.at(0)
              .at(0) == Cell(0.875));
    CHECK(database
              .run_query("SELECT val_top_5_accuracy FROM v_epochs WHERE run = 'a-1' AND epoch = 1")
              .rows.at(0)
              .at(0) == Cell());
}

}  // namespace lockstep::storage
