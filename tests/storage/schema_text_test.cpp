// Every table, view and column of the database has a text, and no text is of something else.

#include "storage/database/schema_text.hpp"

#include <set>
#include <string>
#include <utility>
#include <variant>

#include "storage/database/run_database.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

std::set<std::pair<std::string, std::string>> pairs_of(const Table& table) {
    std::set<std::pair<std::string, std::string>> pairs;
    for (const auto& row : table.rows)
        pairs.emplace(std::get<std::string>(row.at(0)), std::get<std::string>(row.at(1)));
    return pairs;
}

constexpr const char* kAllColumns =
    "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
    "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%'";

}  // namespace

TEST_CASE("schema text: every column of every table and view has one", "[storage]") {
    const tests::TemporaryDirectory folder;
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    const auto columns = pairs_of(database.run_query(kAllColumns));
    CHECK(columns.size() > 150);
    std::set<const ColumnText*> used;
    for (const auto& [table, column] : columns) {
        CAPTURE(table, column);
        const ColumnText* text = column_text(table, column);
        CHECK(text != nullptr);
        used.insert(text);
    }
    for (const ColumnText& text : column_texts()) {
        CAPTURE(text.table, text.column);
        CHECK(used.contains(&text));
        CHECK(std::string(text.text).size() > 5);
    }
}

TEST_CASE("schema text: every table and view has one, and none is missing", "[storage]") {
    const tests::TemporaryDirectory folder;
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    std::set<std::string> here;
    for (const auto& pair : pairs_of(database.run_query(kAllColumns))) here.insert(pair.first);
    std::set<std::string> described;
    for (const TableText& text : table_texts()) CHECK(described.insert(text.table).second);
    CHECK(described == here);
}

TEST_CASE("schema text: units are where the names of columns say so", "[storage]") {
    int seconds = 0;
    for (const ColumnText& text : column_texts()) {
        CAPTURE(text.column);
        const std::string_view column = text.column;
        const std::string_view unit = text.unit;
        CHECK(column.ends_with("_seconds") == (unit == "s"));
        CHECK(column.ends_with("_per_second") == (unit == "1/s"));
        CHECK((column == "bytes") == (unit == "byte"));
        seconds += unit == "s" ? 1 : 0;
    }
    CHECK(seconds >= 8);
}

TEST_CASE("schema: whatever belongs to a run refers to it", "[storage]") {
    const tests::TemporaryDirectory folder;
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    const auto with_run = pairs_of(database.run_query(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = "
        "'table' AND c.name IN ('run', 'experiment') AND m.name || c.name <> 'runsrun'"));
    const auto references = pairs_of(database.run_query(
        "SELECT m.name, k.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE "
        "m.type = 'table' AND (k.\"from\" = 'run' AND k.\"table\" = 'runs' OR k.\"from\" = "
        "'experiment' AND k.\"table\" = 'experiments')"));
    CHECK(with_run.size() >= 9);
    CHECK(references == with_run);
}

}  // namespace lockstep::storage
