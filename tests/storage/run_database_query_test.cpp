// `query`: any SQL of a user, and what it must not be able to do.

#include <string>

#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;
using tests::TemporaryDirectory;

Kind kind_of_query(const RunDatabase& database, const std::string& sql,
                   const QueryLimits& limits = {}) {
    return kind_thrown_by([&] { database.run_query(sql, limits); });
}

}  // namespace

TEST_CASE("query: columns and cells as SQLite gives them", "[storage]") {
    const TemporaryDirectory folder;
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    const Table table =
        database.run_query("SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, 9223372036854775807;  ");
    CHECK(table.columns == std::vector<std::string>{"a", "b", "c", "d", "9223372036854775807"});
    REQUIRE(table.rows.size() == 1);
    CHECK(table.rows[0] == std::vector<Cell>{std::int64_t{1}, 2.5, std::string("x"), Cell(),
                                             std::int64_t{9223372036854775807}});
    const Table empty = database.run_query("SELECT run FROM v_best");
    CHECK(empty.columns == std::vector<std::string>{"run"});
    CHECK(empty.rows.empty());
    CHECK(database.run_query("PRAGMA table_info(runs)").rows.size() == 35);
    CHECK(database
              .run_query("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n "
                         "WHERE i < 10) SELECT sum(i) FROM n")
              .rows.at(0)
              .at(0) == Cell(std::int64_t{55}));
}

TEST_CASE("query: what would write, attach or set something is forbidden", "[storage]") {
    const TemporaryDirectory folder;
    {
        RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
        begin_sample_run(database, "a-1");
    }
    const Bytes before = read_file(folder / "lockstep.db");
    const auto access = GENERATE(DatabaseAccess::read_only, DatabaseAccess::read_write);
    {
        const RunDatabase database(folder / "lockstep.db", access);
        const std::string elsewhere = (folder / "other.db").string();
        for (const std::string& sql :
             {std::string("DELETE FROM runs"), std::string("DROP TABLE runs"),
              std::string("UPDATE runs SET name = 'x'"), std::string("CREATE TABLE t (x)"),
              std::string("CREATE TEMP TABLE t (x)"),
              std::string("INSERT INTO metrics VALUES ('a-1', 'x', 1, 0)"),
              "ATTACH '" + elsewhere + "' AS other", "VACUUM INTO '" + elsewhere + "'",
              std::string("PRAGMA journal_mode = WAL"), std::string("PRAGMA user_version = 9"),
              std::string("PRAGMA writable_schema = ON"), std::string("BEGIN"),
              std::string("SELECT load_extension('x')"), std::string("REINDEX")}) {
            CAPTURE(sql);
            CHECK(kind_of_query(database, sql) == Kind::no_permission);
        }
        CHECK(database.runs().size() == 1);
    }
    CHECK(read_file(folder / "lockstep.db") == before);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()),
                        std::filesystem::directory_iterator()) == 1);
}

TEST_CASE("query: nonsense, several statements and endless ones end with a word", "[storage]") {
    const TemporaryDirectory folder;
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    for (const char* sql : {"", " ; ", "SELEC 1", "SELECT x FROM nowhere", "SELECT 1; SELECT 2",
                            "SELECT '", "-- nothing"}) {
        CAPTURE(sql);
        CHECK(kind_of_query(database, sql) == Kind::bad_statement);
    }
    const std::string endless =
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT ";
    CHECK(kind_of_query(database, endless + "count(*) FROM n",
                        {.instructions = 1'000'000, .rows = 10}) == Kind::bad_statement);
    CHECK(kind_of_query(database, endless + "i FROM n", {.instructions = 1'000'000, .rows = 10}) ==
          Kind::bad_statement);
    CHECK(kind_of_query(database, "SELECT zeroblob(1000000000)") == Kind::bad_statement);
    CHECK(database.run_query("SELECT 1").rows.size() == 1);  // and it still answers
}

}  // namespace lockstep::storage
