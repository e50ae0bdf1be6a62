// The views as tables.

#include <fmt/format.h>
#include <sqlite3.h>

#include <string>
#include <vector>

#include "storage/database/database_connection.hpp"
#include "storage/database/database_table.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {
namespace {

Cell cell_of(const SQLite::Column& column) {
    switch (column.getType()) {
        case SQLITE_INTEGER:
            return column.getInt64();
        case SQLITE_FLOAT:
            return column.getDouble();
        case SQLITE_NULL:
            return std::monostate{};
        default:
            return column.getString();
    }
}

}  // namespace

Table read_table(SQLite::Statement& statement, std::int64_t max_rows) {
    Table table;
    const int columns = statement.getColumnCount();
    for (int i = 0; i < columns; ++i) table.columns.emplace_back(statement.getColumnName(i));
    while (statement.executeStep()) {
        if (static_cast<std::int64_t>(table.rows.size()) == max_rows) {
            throw StorageError(StorageError::Kind::bad_statement,
                               fmt::format("the query gives more than {} rows", max_rows));
        }
        std::vector<Cell>& row = table.rows.emplace_back();
        for (int i = 0; i < columns; ++i) row.push_back(cell_of(statement.getColumn(i)));
    }
    return table;
}

Table RunDatabase::runs_table(std::string_view experiment) const {
    return connection_->use([&](SQLite::Database& db) {
        SQLite::Statement statement(db, R"sql(
            SELECT * FROM v_runs
            WHERE ?1 = '' OR run IN (SELECT run FROM experiment_runs WHERE experiment = ?1)
            ORDER BY experiment, created_utc, run)sql");
        bind_values(statement, experiment);
        return read_table(statement);
    });
}

Table RunDatabase::epochs_table(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        SQLite::Statement statement(db, "SELECT * FROM v_epochs WHERE run = ?1 ORDER BY epoch");
        bind_values(statement, run);
        return read_table(statement);
    });
}

}  // namespace lockstep::storage
