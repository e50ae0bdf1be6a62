#include "tests/architecture/sql_texts.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Problems = std::vector<std::string>;

const fs::path kSourceRoot = LOCKSTEP_SOURCE_DIR;

Problems problems_of(const std::string& source) {
    return built_statements(sql_calls("storage/a.cpp", source));
}

TEST_CASE("sql: no statement of this tree is made of texts", "[architecture]") {
    const std::vector<SqlCall> calls = read_sql_calls(kSourceRoot);
    REQUIRE(calls.size() > 80);  // the tree was found
    CHECK(built_statements(calls) == Problems{});
    CHECK(idle_exceptions(calls) == Problems{});
}

TEST_CASE("sql: no bound pattern of this tree lets % and _ mean more", "[architecture]") {
    Problems problems;
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(kSourceRoot / "storage")) {
        if (entry.path().extension() != ".cpp") continue;
        std::ifstream stream(entry.path());
        const std::string source{std::istreambuf_iterator<char>(stream), {}};
        const Problems found = unescaped_patterns(entry.path().filename().string(), source);
        problems.insert(problems.end(), found.begin(), found.end());
        ++files;
    }
    CHECK(files > 20);
    CHECK(problems == Problems{});
}

TEST_CASE("sql: a planted statement of several pieces is found, with its line", "[architecture]") {
    const std::string call =
        GENERATE(as<std::string>{}, R"x(db.exec("DELETE FROM runs WHERE run = '" + run + "'");)x",
                 R"x(db->exec(fmt::format("DELETE FROM {}", table));)x",
                 R"x(SQLite::Statement row(db, "SELECT " + columns);)x",
                 R"x(SQLite::Statement(db, sql).exec();)x",
                 R"x(SQLite::Statement row{db, fmt::format("SELECT {}", name)};)x",
                 R"x(execute(db, ("DELETE FROM runs WHERE run = " + run).c_str(), 1);)x",
                 R"x(return select(db, text_of(run), run_row);)x", R"x(db.execAndGet(sql);)x",
                 R"x(database.run_query(std::string("SELECT '") + name + "'");)x",
                 R"x(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);)x",
                 R"x(sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr);)x");
    CAPTURE(call);
    const Problems problems = problems_of("// a comment with \"quotes\n\n" + call + "\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().starts_with("storage/a.cpp:3: the SQL of "));
}

TEST_CASE("sql: literals, constants and values that are bound are none", "[architecture]") {
    const std::string call = GENERATE(
        as<std::string>{}, R"x(db.exec("DELETE FROM runs");)x",
        R"x(execute(db, "DELETE FROM runs WHERE run = ?1", run + "x");)x",
        "execute(db, R\"sql(\nSELECT \"a\" + (1), ')'\n)sql\", row.run);",
        R"x(SQLite::Statement row(db, "SELECT a " "FROM b");)x", R"x(db.exec(kTables);)x",
        R"x(statement.exec();)x", R"x(// db.exec("a" + b))x", R"x(/* db.exec("a" + b) */)x",
        R"x(void execute(SQLite::Database& db, const char* sql, const Values&... values) {)x",
        R"x(db.exec("x", '"', 1'000);)x");
    CAPTURE(call);
    CHECK(problems_of(call + "\n") == Problems{});
}

TEST_CASE("sql: an exception counts in its own file alone", "[architecture]") {
    const std::string source = R"x(database.run_query(options.sql);)x";
    CHECK(built_statements(sql_calls("pipeline/verbs/query.cpp", source)).empty());
    CHECK(built_statements(sql_calls("pipeline/verbs/show.cpp", source)).size() == 1);
}

TEST_CASE("sql: a bound pattern needs its ESCAPE", "[architecture]") {
    CHECK(unescaped_patterns("a.cpp", R"x(f("name LIKE ?1 || '%'");)x").size() == 1);
    CHECK(unescaped_patterns("a.cpp", R"x(f("name glob :name");)x").size() == 1);
    CHECK(unescaped_patterns("a.cpp", R"x(f("name LIKE ?1 ESCAPE '\\'");)x").empty());
    CHECK(unescaped_patterns("a.cpp", R"x(f("name NOT LIKE 'sqlite%'");)x").empty());
    CHECK(unescaped_patterns("a.cpp", R"x(// LIKE ?1)x").empty());
}

}  // namespace
}  // namespace lockstep::tests
