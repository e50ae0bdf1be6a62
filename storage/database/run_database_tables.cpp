// The views as tables.

#include <fmt/format.h>
#include <sqlite3.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/database/database_connection.hpp"
#include "storage/database/database_table.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {
namespace {

std::string json_list(std::span<const std::string> texts) {
    const nlohmann::json list(std::vector<std::string>(texts.begin(), texts.end()));
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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
            throw StorageError(StorageError::Kind::bad_data,
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
            SELECT * FROM v_runs WHERE ?1 = '' OR experiment = ?1
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

Table RunDatabase::compare_table(std::span<const std::string> runs) const {
    return connection_->use([&](SQLite::Database& db) {
        SQLite::Statement statement(db, R"sql(
            SELECT v.* FROM v_compare v JOIN runs r USING (run)
            WHERE ?1 = '[]' OR v.run IN (SELECT value FROM json_each(?1))
            ORDER BY r.experiment, r.created_utc, r.run)sql");
        bind_values(statement, json_list(runs));
        return read_table(statement);
    });
}

}  // namespace lockstep::storage
