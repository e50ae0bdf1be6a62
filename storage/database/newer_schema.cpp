#include "storage/database/newer_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"

namespace lockstep::storage {
namespace {

std::vector<std::string> texts(SQLite::Statement select) {
    std::vector<std::string> all;
    while (select.executeStep()) all.push_back(select.getColumn(0).getString());
    return all;
}

// Of a table, or of a view that stands where the table stood; empty if there is neither.
std::vector<std::string> columns_of(SQLite::Database& db, const std::string& table) {
    SQLite::Statement select(db, "SELECT name FROM pragma_table_info(?1) ORDER BY name");
    bind_values(select, table);
    return texts(std::move(select));
}

}  // namespace

std::vector<std::string> missing_columns(SQLite::Database& db) {
    SQLite::Database ours(":memory:", SQLite::OPEN_READWRITE);
    create_tables(ours);
    std::vector<std::string> missing;
    for (const std::string& table : texts(SQLite::Statement(
             ours, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"))) {
        const std::vector<std::string> theirs = columns_of(db, table);
        for (const std::string& column : columns_of(ours, table)) {
            if (!std::ranges::binary_search(theirs, column))
                missing.push_back(fmt::format("{}.{}", table, column));
        }
    }
    return missing;
}

std::string written_by_newer(std::int64_t version) {
    return fmt::format("written by a newer Lockstep (its version is {}, this one knows {})",
                       version, kSchemaVersion);
}

}  // namespace lockstep::storage
