#pragma once

// Inside storage only: the rows of a SELECT as structs.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/database/database_connection.hpp"

namespace lockstep::storage {

// Takes the columns of a row one after the other, in the order of the SELECT.
class RowReader {
public:
    explicit RowReader(const SQLite::Statement& statement) : statement_(statement) {}
    std::string text() { return next().getString(); }  // NULL: ""
    std::int64_t integer() { return next().getInt64(); }
    int number() { return next().getInt(); }
    bool flag() { return next().getInt() != 0; }
    std::optional<double> optional_figure() {  // NULL: none
        const SQLite::Column column = next();
        return column.isNull() ? std::nullopt : std::optional(column.getDouble());
    }
    double figure() {  // NULL: NaN
        const SQLite::Column column = next();
        return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
    }

private:
    SQLite::Column next() { return statement_.getColumn(index_++); }
    const SQLite::Statement& statement_;
    int index_ = 0;
};

// All rows of a SELECT, each made by `make_row`. Values are bound to ?1, ?2, ...
template <typename MakeRow, typename... Values>
auto select(SQLite::Database& db, const char* sql, MakeRow make_row, const Values&... values) {
    SQLite::Statement statement(db, sql);
    bind_values(statement, values...);
    std::vector<decltype(make_row(std::declval<RowReader&>()))> rows;
    while (statement.executeStep()) {
        RowReader reader(statement);
        rows.push_back(make_row(reader));
    }
    return rows;
}

}  // namespace lockstep::storage
