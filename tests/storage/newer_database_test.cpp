// A database of a newer version: read as far as this version knows it, never written.

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "storage/database/database_check.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "tests/storage/old_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;
using tests::TemporaryDirectory;

constexpr int kNewer = kSchemaVersion + 2;

// What a version to come may have done to the tables, in SQL.
void make_newer(const fs::path& path, const std::string& change) {
    SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
    raw.exec(change);
    raw.exec("PRAGMA user_version = " + std::to_string(kNewer));
}

std::int64_t files_beside(const fs::path& path) {
    return std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator());
}

}  // namespace

TEST_CASE("newer: what this version knows is read, and nothing changes", "[storage]") {
    const std::string change =
        GENERATE(as<std::string>{},
                 "ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'x';"
                 "CREATE TABLE moods (run TEXT) STRICT;",
                 "DROP VIEW v_runs; CREATE VIEW v_runs AS SELECT 1 AS one;",
                 "DROP VIEW v_compare; DROP VIEW v_best; DROP VIEW v_runs;");
    CAPTURE(change);
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    const RunDatabase fresh(path, DatabaseAccess::read_only);
    const Table runs = fresh.runs_table();
    const Table epochs = fresh.epochs_table("a-1");
    CHECK_FALSE(fresh.newer_version());
    make_newer(path, change);
    const Bytes before = read_file(path);
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.newer_version() == kNewer);
    CHECK(database.runs_table().columns == runs.columns);
    CHECK(database.runs_table().rows == runs.rows);
    CHECK(database.epochs_table("a-1").rows == epochs.rows);
    CHECK(database.run_details("a-1").epochs.size() == 3);
    CHECK(database.match_runs("b").size() == 1);
    CHECK(read_file(path) == before);
    CHECK(files_beside(path) == 1);
}

TEST_CASE("newer: a user's query sees the tables of that version", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_newer(path, "ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'");
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(database.run_query("SELECT DISTINCT mood FROM runs").rows ==
          std::vector<std::vector<Cell>>{{std::string("calm")}});
}

TEST_CASE("newer: never written, and told what to do", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_newer(path, "CREATE TABLE moods (run TEXT) STRICT");
    const Bytes before = read_file(path);
    const auto access = GENERATE(DatabaseAccess::read_write, DatabaseAccess::read_write_again);
    const StorageError error = thrown_by([&] { const RunDatabase database(path, access); });
    CHECK(error.kind() == Kind::bad_data);
    CHECK(mentions(error, "newer Lockstep (its version is " + std::to_string(kNewer)));
    CHECK(mentions(error, "--store"));
    const RunDatabase database(path, DatabaseAccess::read_only);
    CHECK(thrown_by([&] { database.require_writable_version(); }).kind() == Kind::bad_data);
    CHECK(read_file(path) == before);
    CHECK(files_beside(path) == 1);
}

TEST_CASE("newer: refused where a column is gone that is read here", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    make_newer(path,
               "DROP VIEW v_runs; DROP VIEW v_compare;"
               "ALTER TABLE runs RENAME COLUMN notes TO remarks;");
    const Bytes before = read_file(path);
    const StorageError error =
        thrown_by([&] { const RunDatabase database(path, DatabaseAccess::read_only); });
    CHECK(error.kind() == Kind::bad_data);
    CHECK(mentions(error, "it has no runs.notes"));
    CHECK(read_file(path) == before);
}

TEST_CASE("newer: looked over, but neither mended nor rebuilt", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    fill_database(path);
    CHECK_FALSE(check_database(path).newer_version);
    make_newer(path, "CREATE TABLE moods (run TEXT) STRICT");
    const Bytes before = read_file(path);
    const DatabaseCheck check = check_database(path);
    CHECK(check.newer_version == kNewer);
    CHECK(check.refusal.empty());
    CHECK(check.damage.empty());
    CHECK(kind_thrown_by([&] { rebuild_database(path, folder / "aside.db"); }) == Kind::bad_data);
    CHECK(kind_thrown_by([&] { mend_rows(path); }) == Kind::bad_data);
    CHECK(read_file(path) == before);
    CHECK(files_beside(path) == 1);
}

}  // namespace lockstep::storage
