#include "storage/database/database_check.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "storage/database/run_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

// Three runs of 200 epochs: many pages.
void fill(const fs::path& path, int epochs = 200) {
    RunDatabase database(path, DatabaseAccess::read_write);
    for (const char* run : {"a-1", "b-2", "c-3"}) {
        begin_sample_run(database, run);
        for (int epoch = 1; epoch <= epochs; ++epoch) {
            database.record_epoch(sample_epoch(run, epoch), {}, {});
        }
    }
}

void spoil_page(const fs::path& path, std::int64_t page) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(page * 4096);
    stream << std::string(4096, '\xee');
}

TEST_CASE("A database of ours is whole", "[storage]") {
    const tests::TemporaryDirectory folder;
    fill(folder / "lockstep.db");
    const DatabaseCheck check = check_database(folder / "lockstep.db");
    CHECK(check.refusal.empty());
    CHECK(check.damage.empty());
    CHECK(check.rows_without_parent == 0);
    CHECK_FALSE(check.had_hot_journal);
}

TEST_CASE("Whatever page is spoilt, most rows are saved and the result is whole", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path whole = folder / "whole.db";
    fill(whole);
    const auto pages = static_cast<std::int64_t>(fs::file_size(whole)) / 4096;
    REQUIRE(pages > 20);
    int rebuilt = 0;
    for (std::int64_t page = 1; page < pages; ++page) {  // page 0 says what the file is
        const fs::path path = folder / "spoilt.db";
        const fs::path aside = folder / "aside.db";
        fs::remove(path);
        fs::remove(aside);
        fs::copy_file(whole, path);
        spoil_page(path, page);
        const DatabaseCheck check = check_database(path);
        INFO("page " << page);
        if (check.damage.empty() && check.refusal.empty()) continue;  // a free page
        if (!check.refusal.empty()) continue;
        rebuild_database(path, aside);
        ++rebuilt;
        CHECK(fs::exists(aside));
        const DatabaseCheck after = check_database(path);
        CHECK(after.damage.empty());
        CHECK(after.refusal.empty());
        CHECK(after.rows_without_parent == 0);
    }
    CHECK(rebuilt > 10);
}

TEST_CASE("One spoilt page of epochs costs no more than its rows", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill(path);
    std::int64_t page = 0;
    {
        SQLite::Database raw(path.string());
        page = raw.execAndGet("SELECT rootpage FROM sqlite_schema WHERE name = 'events_by_run'")
                   .getInt64();
    }
    spoil_page(path, page - 1);  // an index: no row is lost
    rebuild_database(path, folder / "aside.db");
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.runs().size() == 3);
    CHECK(database.epochs("b-2").size() == 200);
}

TEST_CASE("Rows that belong to no run are counted and removed", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill(path);
    {
        SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA foreign_keys = OFF");
        raw.exec("DELETE FROM runs WHERE run = 'b-2'");
    }
    CHECK(check_database(path).rows_without_parent > 200);
    mend_rows(path);
    CHECK(check_database(path).rows_without_parent == 0);
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.runs().size() == 2);
    CHECK(database.epochs("a-1").size() == 200);
    CHECK(database.epochs("b-2").empty());
}

TEST_CASE("Nobody writes while a database is made anew, and who trains forbids it", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill(path);
    const auto somebody_trains = [&] {
        RunDatabase job(path, DatabaseAccess::read_write_again, std::chrono::milliseconds(1));
        CHECK(kind_thrown_by([&] { job.put_run(sample_run("d-4")); }) ==
              StorageError::Kind::locked);
        throw std::runtime_error("somebody trains");
    };
    CHECK_THROWS_AS(rebuild_database(path, folder / "aside.db", somebody_trains),
                    std::runtime_error);
    CHECK_FALSE(fs::exists(folder / "aside.db"));
    RunDatabase before(path, DatabaseAccess::read_write);
    rebuild_database(path, folder / "aside.db");
    // Who has it open still does not write into the one that was put aside.
    CHECK(kind_thrown_by([&] { before.put_run(sample_run("d-4")); }) == StorageError::Kind::io);
    CHECK(RunDatabase(path, DatabaseAccess::read_only).runs().size() == 3);
}

TEST_CASE("A journal that a killed writer left is told and rolled back", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    const fs::path copy = folder / "copy.db";
    fill(path);
    {
        SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA cache_size = 1");  // so that changed pages reach the file before the end
        raw.exec("BEGIN IMMEDIATE");
        raw.exec("UPDATE epochs SET loss = 42.0, weights_digest = hex(randomblob(200))");
        // What a kill at this moment leaves.
        fs::copy_file(path, copy);
        fs::copy_file(folder / "lockstep.db-journal", folder / "copy.db-journal");
        raw.exec("ROLLBACK");
    }
    const DatabaseCheck check = check_database(copy);
    CHECK(check.had_hot_journal);
    CHECK(check.refusal.empty());
    CHECK(check.damage.empty());
    CHECK_FALSE(check_database(copy).had_hot_journal);
    const RunDatabase database(copy, DatabaseAccess::read_only);
    CHECK(database.epochs("a-1").back().loss != 42.0);
}

// SQLite writes pages that it has no room for before the end of a transaction; the file's first
// page, which knows how many there are, at its end.
TEST_CASE("A copy from the midst of a transaction, without its journal, is told", "[storage]") {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    const fs::path copy = folder / "copy.db";
    fill(path, 3);
    CHECK(check_database(path).bytes_behind_end == 0);
    {
        SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA cache_size = 1");
        raw.exec("BEGIN IMMEDIATE");
        raw.exec(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
            "INSERT INTO events (run, attempt, utc, kind, text) "
            "SELECT 'a-1', 1, '', 'warning', hex(randomblob(100)) FROM n");
        fs::copy_file(path, copy);
        raw.exec("ROLLBACK");
    }
    const DatabaseCheck check = check_database(copy);
    CHECK_FALSE(check.had_hot_journal);
    CHECK((check.bytes_behind_end > 0 || !check.damage.empty()));
    CHECK(check_database(path).bytes_behind_end == 0);
}

TEST_CASE("Totals that are not those of the epochs are told, and counted anew", "[storage]") {
    const std::string change =
        GENERATE(as<std::string>{}, "DELETE FROM epochs WHERE run = 'a-1' AND epoch = 3",
                 "DELETE FROM epochs WHERE run = 'a-1'", "DELETE FROM run_totals WHERE run = 'a-1'",
                 "UPDATE run_totals SET training_count = 1 WHERE run = 'a-1'");
    CAPTURE(change);
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill(path, 3);
    CHECK(check_database(path).differing_totals == 0);
    SQLite::Database(path.string(), SQLite::OPEN_READWRITE).exec(change);
    CHECK(check_database(path).differing_totals == 1);
    mend_rows(path);
    CHECK(check_database(path).differing_totals == 0);
    CHECK(check_database(path).damage.empty());
}

TEST_CASE("What is no database is refused in words, not thrown", "[storage]") {
    const tests::TemporaryDirectory folder;
    CHECK_FALSE(check_database(folder / "none.db").refusal.empty());
    std::ofstream(folder / "text.db") << std::string(5000, 'x');
    CHECK_FALSE(check_database(folder / "text.db").refusal.empty());
}

TEST_CASE("A run goes with all its rows, its experiment with the last", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    begin_sample_run(database, "b-2");
    database.remove_run("a-1");
    CHECK(database.runs().size() == 1);
    CHECK(database.attempts("a-1").empty());
    CHECK(database.experiments().size() == 1);
    database.remove_run("b-2");
    CHECK(database.experiments().empty());
}

TEST_CASE("A state set by hand ends the attempt and is told", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    database.set_state_by_hand("a-1", database.find_run("a-1")->state, RunState::interrupted,
                               "lost", "2026-03-02T00:00:00.000Z");
    CHECK(database.find_run("a-1")->state == RunState::interrupted);
    CHECK(database.attempts("a-1").back().outcome == "interrupted");
    CHECK(database.events("a-1").back().kind == "repaired");
}

}  // namespace
}  // namespace lockstep::storage
