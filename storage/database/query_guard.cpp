#include "storage/database/query_guard.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>

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

bool is_only_space(const char* text) {
    return std::string_view(text).find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

}  // namespace

QueryGuard::QueryGuard(SQLite::Database& db, std::int64_t instructions)
    : db_(db), looks_left_(instructions / kInstructionsPerLook) {
    sqlite3* const handle = db.getHandle();
    db.exec("PRAGMA trusted_schema = OFF");
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestValueBytes);
    sqlite3_progress_handler(handle, kInstructionsPerLook, count_down, this);
    sqlite3_set_authorizer(handle, authorize, this);
}

QueryGuard::~QueryGuard() {
    sqlite3_progress_handler(db_.getHandle(), 0, nullptr, nullptr);
    sqlite3_set_authorizer(db_.getHandle(), nullptr, nullptr);
}

// sqlite3_set_authorizer()'s callback: what a reading statement needs, and nothing else.
int QueryGuard::authorize(void* guard, int action, const char* first, const char* second,
                          const char*, const char*) {
    if (is_reading(action, first, second)) return SQLITE_OK;
    static_cast<QueryGuard*>(guard)->was_forbidden_ = true;
    return SQLITE_DENY;
}

// Counts the virtual machine's instructions down, and interrupts it at zero.
int QueryGuard::count_down(void* guard) {
    return --static_cast<QueryGuard*>(guard)->looks_left_ < 0 ? 1 : 0;
}

StorageError QueryGuard::error(const SQLite::Exception& error, std::string_view subject) const {
    if (was_forbidden_) {
        return {Kind::no_permission,
                fmt::format("{} may only read: SELECT, WITH, VALUES, and PRAGMA table_info and its "
                            "like",
                            subject)};
    }
    if (looks_left_ < 0) {
        return {Kind::bad_statement, fmt::format("{} was stopped: it takes too long", subject)};
    }
    const bool is_damage =
        error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
    return {is_damage ? Kind::bad_data : Kind::bad_statement,
            fmt::format("{} fails: {}", subject, error.what())};
}

void QueryGuard::require_one_statement(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(db_.getHandle(), sql.c_str(), -1, &statement, &rest);
    const bool is_nothing = statement == nullptr;
    sqlite3_finalize(statement);
    if (code != SQLITE_OK) throw SQLite::Exception(db_.getHandle(), code);
    if (is_nothing) throw StorageError(Kind::bad_statement, "the query is empty");
    if (!is_only_space(rest)) {
        throw StorageError(Kind::bad_statement, "the query must be one statement");
    }
}

}  // namespace lockstep::storage
