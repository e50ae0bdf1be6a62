#include "storage/database/row_selection.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <variant>

#include "storage/database/database_connection.hpp"
#include "storage/database/query_guard.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;

// Of SQLite's virtual machine: seconds.
constexpr std::int64_t kInstructions = 500'000'000;

std::string sql_name(std::string_view identifier) {
    std::string text = "\"";
    for (const char byte : identifier) {
        if (byte == '"') text += '"';
        text += byte;
    }
    return text + '"';
}

// The type that makes SQLite compare a column as the run database's column is compared. A column of
// numbers and texts has none: one would make texts of the numbers, and 10 less than 5. So numbers
// compare as numbers, and texts stand behind all of them.
std::string_view affinity(const Table& table, std::size_t column) {
    bool has_text = false, has_whole = false, has_real = false;
    for (const std::vector<Cell>& row : table.rows) {
        const Cell& cell = row[column];
        has_text = has_text || std::holds_alternative<std::string>(cell);
        has_whole = has_whole || std::holds_alternative<std::int64_t>(cell);
        has_real = has_real || std::holds_alternative<double>(cell);
    }
    if (has_text) return has_whole || has_real ? "" : "TEXT";
    return has_real ? "REAL" : "INTEGER";
}

void bind_cell(SQLite::Statement& statement, int index, const Cell& cell) {
    const auto bind = [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
            statement.bind(index);
        } else {
            bind_value(statement, index, value);
        }
    };
    std::visit(bind, cell);
}

void fill(SQLite::Database& db, const Table& table, const std::string& name) {
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        columns.push_back(sql_name(table.columns[i]) + ' ' + std::string(affinity(table, i)));
    }
    db.exec(fmt::format("CREATE TABLE {} ({})", name, fmt::join(columns, ", ")));
    const std::vector<std::string> places(columns.size(), "?");
    SQLite::Transaction transaction(db);
    SQLite::Statement insert(
        db, fmt::format("INSERT INTO {} VALUES ({})", name, fmt::join(places, ", ")));
    for (const std::vector<Cell>& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            bind_cell(insert, static_cast<int>(i) + 1, row[i]);
        }
        insert.exec();
        insert.reset();
    }
    transaction.commit();
}

// An error behind the text, or at a ';' in it, is told in words: SQLite would tell of words of
// ours.
void require_brackets(SQLite::Database& db, const std::string& where, const std::string& name) {
    const std::string before = "SELECT (\n";
    try {
        const SQLite::Statement bracketed(db, fmt::format("{}{}\n) FROM {}", before, where, name));
    } catch (const SQLite::Exception&) {
        const int offset = sqlite3_error_offset(db.getHandle());
        const auto at = static_cast<std::size_t>(std::max(offset, 0));
        if (at < before.size()) throw;
        if (at >= before.size() + where.size())
            throw StorageError(Kind::bad_statement, "the condition is not complete at its end");
        if (where[at - before.size()] == ';')
            throw StorageError(Kind::bad_statement,
                               "the condition must be one expression, without ';'");
        throw;
    }
}

// The text must be one expression both bare and in brackets: nothing that ends brackets early,
// hides them in a comment, or goes on behind them is both.
void require_expression(SQLite::Database& db, const std::string& where, const std::string& name) {
    require_brackets(db, where, name);
    const SQLite::Statement bare(db, fmt::format("SELECT\n{}\nFROM {}", where, name));
    if (bare.getColumnCount() == 1) return;
    throw StorageError(Kind::bad_statement, "the condition must be one expression");
}

std::size_t column_index(const Table& table, const std::string& column) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), column);
    if (found != table.columns.end()) {
        return static_cast<std::size_t>(found - table.columns.begin());
    }
    throw StorageError(Kind::bad_statement, fmt::format("there is no column \"{}\"", column));
}

// Every name in it is a quoted column, and `where` was found to be one expression.
std::string selecting_sql(const Table& table, const std::string& name,
                          const RowSelection& selection) {
    std::string sql = fmt::format("SELECT rowid FROM {}", name);
    if (!selection.where.empty()) sql += fmt::format(" WHERE (\n{}\n)", selection.where);
    sql += " ORDER BY ";
    for (const SortKey& key : selection.sort) {
        sql += fmt::format("{} {} NULLS LAST, ",
                           sql_name(table.columns[column_index(table, key.column)]),
                           key.is_descending ? "DESC" : "ASC");
    }
    return sql + "rowid";
}

// The places of the rows that `where` is true for, sorted.
std::vector<std::size_t> matching_rows(const Table& table, std::string_view name,
                                       const RowSelection& selection) {
    SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
    // A misspelt "column" is an error, not a text.
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    const std::string table_name = sql_name(name);
    fill(db, table, table_name);
    const QueryGuard guard(db, kInstructions);
    try {
        if (!selection.where.empty()) require_expression(db, selection.where, table_name);
        SQLite::Statement statement(db, selecting_sql(table, table_name, selection));
        std::vector<std::size_t> places;  // row i was inserted as number i + 1
        while (statement.executeStep()) {
            places.push_back(static_cast<std::size_t>(statement.getColumn(0).getInt64()) - 1);
        }
        return places;
    } catch (const SQLite::Exception& error) {
        throw guard.error(error, "the condition");
    }
}

std::vector<std::size_t> numbers_below(std::size_t end) {
    std::vector<std::size_t> numbers(end);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    return numbers;
}

std::vector<std::size_t> column_places(const Table& table, const RowSelection& selection) {
    if (selection.columns.empty()) return numbers_below(table.columns.size());
    std::vector<std::size_t> places;
    for (const std::string& column : selection.columns) {
        places.push_back(column_index(table, column));
    }
    return places;
}

}  // namespace

Table select_rows(const Table& table, std::string_view name, const RowSelection& selection) {
    const std::vector<std::size_t> columns = column_places(table, selection);
    const bool needs_sql = !selection.where.empty() || !selection.sort.empty();
    std::vector<std::size_t> rows =
        needs_sql ? matching_rows(table, name, selection) : numbers_below(table.rows.size());
    if (selection.limit) {
        const auto limit = static_cast<std::size_t>(std::max(*selection.limit, std::int64_t{0}));
        rows.resize(std::min(rows.size(), limit));
    }
    Table selected;
    for (const std::size_t column : columns) selected.columns.push_back(table.columns[column]);
    for (const std::size_t row : rows) {
        std::vector<Cell>& cells = selected.rows.emplace_back();
        for (const std::size_t column : columns) cells.push_back(table.rows[row][column]);
    }
    return selected;
}

}  // namespace lockstep::storage
