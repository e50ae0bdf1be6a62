#include <SQLiteCpp/Backup.h>

#include <string>

#include "storage/database/database_connection.hpp"
#include "storage/database/database_table.hpp"
#include "storage/database/query_guard.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"

namespace lockstep::storage {

Table RunDatabase::run_query(std::string_view sql, const QueryLimits& limits) const {
    // On a copy: however long the query takes, no writer waits for it.
    SQLite::Database copy(":memory:", SQLite::OPEN_READWRITE);
    connection_->use([&](SQLite::Database& db) {
        SQLite::Backup(copy, db).executeStep(-1);
        if (version_of(copy) < kSchemaVersion) upgrade_schema(copy);
    });
    const QueryGuard guard(copy, limits.instructions);
    const std::string text(sql);
    try {
        guard.require_one_statement(text);
        SQLite::Statement statement(copy, text);
        return read_table(statement, limits.rows);
    } catch (const SQLite::Exception& error) {
        throw guard.error(error, "the query");
    }
}

}  // namespace lockstep::storage
