#include <SQLiteCpp/Backup.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>

#include "storage/database_connection.hpp"
#include "storage/database_table.hpp"
#include "storage/run_database.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;

constexpr int kLongestValueBytes = 16 << 20;
constexpr int kInstructionsPerLook = 10'000;

// Pragmas that only tell something.
constexpr std::array<std::string_view, 8> kTellingPragmas{
    "table_info", "table_xinfo",      "table_list",     "index_list",
    "index_info", "foreign_key_list", "application_id", "user_version"};

bool may_pragma(const char* name, const char* argument) {
    const bool is_telling =
        std::find(kTellingPragmas.begin(), kTellingPragmas.end(), name) != kTellingPragmas.end();
    const bool is_number =
        std::string_view(name) == "application_id" || std::string_view(name) == "user_version";
    return is_telling && !(is_number && argument != nullptr);
}

// What the callbacks of SQLite tell of a query.
struct Watch {
    std::int64_t looks_left = 0;
    bool was_forbidden = false;
};

bool is_reading(int action, const char* first, const char* second) {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
        case SQLITE_RECURSIVE:
            return true;
        case SQLITE_FUNCTION:
            return second == nullptr || std::string_view(second) != "load_extension";
        case SQLITE_PRAGMA:
            return may_pragma(first, second);
        case SQLITE_UPDATE:
            // Asked when json_each() and its like declare their columns. A user's own update of
            // this table needs writable_schema, which is a pragma.
            return first != nullptr && std::string_view(first) == "sqlite_master";
        default:
            return false;
    }
}

// sqlite3_set_authorizer()'s callback: what a reading statement needs, and nothing else.
int authorize(void* watch, int action, const char* first, const char* second, const char*,
              const char*) {
    if (is_reading(action, first, second)) return SQLITE_OK;
    static_cast<Watch*>(watch)->was_forbidden = true;
    return SQLITE_DENY;
}

// Counts the virtual machine's instructions down, and interrupts it at zero.
int count_down(void* watch) { return --static_cast<Watch*>(watch)->looks_left < 0 ? 1 : 0; }

bool is_only_space(const char* text) {
    return std::string_view(text).find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

void require_one_statement(SQLite::Database& db, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(db.getHandle(), sql.c_str(), -1, &statement, &rest);
    const bool is_nothing = statement == nullptr;
    sqlite3_finalize(statement);
    if (code != SQLITE_OK) throw SQLite::Exception(db.getHandle(), code);
    if (is_nothing) throw StorageError(Kind::bad_data, "the query is empty");
    if (!is_only_space(rest)) {
        throw StorageError(Kind::bad_data, "the query must be one statement");
    }
}

StorageError query_error(const SQLite::Exception& error, const Watch& watch) {
    if (watch.was_forbidden) {
        return {Kind::no_permission,
                "a query may only read: SELECT, WITH, VALUES, and PRAGMA table_info and its like"};
    }
    if (watch.looks_left < 0) {
        return {Kind::bad_data, "the query was stopped: it takes too long"};
    }
    return {Kind::bad_data, fmt::format("the query fails: {}", error.what())};
}

}  // namespace

Table RunDatabase::run_query(std::string_view sql, const QueryLimits& limits) const {
    // On a copy: however long the query takes, no writer waits for it.
    SQLite::Database copy(":memory:", SQLite::OPEN_READWRITE);
    connection_->use([&](SQLite::Database& db) { SQLite::Backup(copy, db).executeStep(-1); });

    copy.exec("PRAGMA trusted_schema = OFF");
    sqlite3* const handle = copy.getHandle();
    Watch watch{.looks_left = limits.instructions / kInstructionsPerLook};
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestValueBytes);
    sqlite3_progress_handler(handle, kInstructionsPerLook, count_down, &watch);
    sqlite3_set_authorizer(handle, authorize, &watch);
    const std::string text(sql);
    try {
        require_one_statement(copy, text);
        SQLite::Statement statement(copy, text);
        return read_table(statement, limits.rows);
    } catch (const SQLite::Exception& error) {
        throw query_error(error, watch);
    }
}

}  // namespace lockstep::storage
