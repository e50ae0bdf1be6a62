#pragma once

// Inside storage only: one open SQLite connection to a run database, its rules and its errors.

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "liveness/fault_point.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {

// What SQLite reports, as an error of the store that names the database.
StorageError storage_error(const SQLite::Exception& error, const std::filesystem::path& database);

// Opens as RunDatabase's constructor says.
std::unique_ptr<SQLite::Database> open_run_database(const std::filesystem::path& path,
                                                    DatabaseAccess access,
                                                    std::chrono::milliseconds wait = kUsualWait);

// Of a read-only connection that was refused because a writer was killed in a transaction after it
// had been opened: what is left half done is rolled back, by a connection that may write. False for
// any other error.
// Throws StorageError (no_permission) where nobody may write here, as RunDatabase does else.
bool roll_back_for(const SQLite::Exception& error, const std::filesystem::path& database);

// user_version of the file.
std::int64_t version_of(SQLite::Database& db);
// Throws StorageError (bad_data) for a newer version than this one.
void require_writable_version(SQLite::Database& db, const std::filesystem::path& path);

struct RunDatabase::Connection {
    std::filesystem::path path;
    std::unique_ptr<SQLite::Database> database;

    // Calls `work` with the database; SQLite's errors leave as StorageError. Twice, where a killed
    // writer's journal was in the way: SQLite tells of that before a transaction has read anything.
    template <typename Work>
    decltype(auto) use(Work&& work) const {
        for (bool is_again = false;; is_again = true) {
            try {
                return work(*database);
            } catch (const SQLite::Exception& error) {
                if (is_again || !roll_back_for(error, path)) throw storage_error(error, path);
            }
        }
    }

    // Calls `work` in one transaction that has the right to write from its start, so that it can
    // not find itself unable to go on half way; inside of another one as a part of it.
    template <typename Work>
    void write(Work&& work) const {
        use([&](SQLite::Database& db) {
            if (sqlite3_get_autocommit(db.getHandle()) == 0) return work(db);
            liveness::fault_point("db.begin");
            SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
            work(db);
            liveness::fault_point("db.before_commit");
            transaction.commit();
            liveness::fault_point("db.after_commit");
        });
    }
};

// ---- values into statements; a NaN is bound as NULL by SQLite itself --------------------------

inline void bind_value(SQLite::Statement& statement, int index, std::string_view text) {
    statement.bind(index, std::string(text));
}
inline void bind_value(SQLite::Statement& statement, int index, double value) {
    statement.bind(index, value);
}
template <typename Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
void bind_value(SQLite::Statement& statement, int index, Integer value) {
    statement.bind(index, static_cast<std::int64_t>(value));
}
template <typename Value>
void bind_value(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
    if (value) {
        bind_value(statement, index, *value);
    } else {
        statement.bind(index);
    }
}

// Binds ?1, ?2, ... in order.
template <typename... Values>
void bind_values(SQLite::Statement& statement, const Values&... values) {
    int index = 0;
    (bind_value(statement, ++index, values), ...);
}

// Runs a statement that returns no rows.
template <typename... Values>
void execute(SQLite::Database& db, const char* sql, const Values&... values) {
    SQLite::Statement statement(db, sql);
    bind_values(statement, values...);
    statement.exec();
}

// checkpoint.prev.h5 has become checkpoint.h5, so its row does, too. Call in a transaction.
void promote_previous_row(SQLite::Database& db, std::string_view run, std::string_view sha256);

}  // namespace lockstep::storage
