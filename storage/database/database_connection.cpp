#include "storage/database/database_connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <optional>
#include <system_error>

#include "storage/database/newer_schema.hpp"
#include "storage/database/run_database_schema.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/file_system.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

StorageError error_of(Kind kind, const fs::path& path, std::string_view what) {
    return StorageError(kind, fmt::format("run database {}: {}", path.string(), what));
}

// Absolute, so that SQLite never takes a path that begins with "file:" for a URI.
fs::path absolute_path(const fs::path& path) {
    std::error_code error;
    fs::path absolute = fs::absolute(path, error);
    if (error) throw error_of(Kind::io, path, error.message());
    return absolute;
}

bool is_forbidden(const fs::path& path, int mode) {
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) != 0 &&
           (errno == EACCES || errno == EROFS);
}

// What SQLite would report as "unable to open database file", told apart.
void require_reachable(const fs::path& path, DatabaseAccess access) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    const bool is_there = fs::exists(status);
    const bool may_write = access != DatabaseAccess::read_only;
    if (!is_there && is_forbidden(path, F_OK)) {
        throw error_of(Kind::no_permission, path, "its folder may not be entered");
    }
    const fs::path target = is_there ? fs::path() : fs::read_symlink(path, ignored);
    if (!target.empty()) {
        throw error_of(may_write ? Kind::cannot_create : Kind::missing, path,
                       fmt::format("it is a link to {}, which is not there", target.string()));
    }
    if (!is_there && access != DatabaseAccess::read_write)
        throw error_of(Kind::missing, path, "there is none");
    if (is_there && !fs::is_regular_file(status)) {
        throw error_of(may_write ? Kind::cannot_create : Kind::bad_data, path,
                       "something that is no file stands there");
    }
    if (is_there && is_forbidden(path, may_write ? R_OK | W_OK : R_OK)) {
        throw error_of(Kind::no_permission, path, "the file's modes forbid it");
    }
    // SQLite takes a file of one byte for an empty one, and would fill it.
    if (is_there && fs::file_size(path, ignored) == 1) {
        throw error_of(Kind::bad_data, path, "no SQLite database; left untouched");
    }
    // A transaction writes its journal beside the file.
    if (may_write && is_forbidden(path.parent_path(), W_OK | X_OK)) {
        throw error_of(Kind::no_permission, path, "its folder is read-only");
    }
}

StorageError left_half_done(const fs::path& path) {
    return error_of(Kind::no_permission, path,
                    "a writer was killed in a transaction, and to roll it back takes the right to "
                    "write: `lockstep fsck` does, of somebody who may write there");
}

struct Identity {
    std::int64_t application = 0;
    std::int64_t version = 0;
    std::int64_t objects = 0;  // tables, views, indexes

    bool is_empty() const { return application == 0 && version == 0 && objects == 0; }
};

Identity identity_of(SQLite::Database& db) {
    return {db.execAndGet("PRAGMA application_id").getInt64(),
            db.execAndGet("PRAGMA user_version").getInt64(),
            db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64()};
}

void require_ours(const Identity& identity, const fs::path& path) {
    if (identity.application != kApplicationId) {
        throw error_of(Kind::bad_data, path, "a database of another program; left untouched");
    }
    if (identity.version < 1) {
        throw error_of(Kind::bad_data, path, "its version is missing; left untouched");
    }
}

// A row of ours would lack what the newer version keeps in it.
void require_writable(const Identity& identity, const fs::path& path) {
    require_ours(identity, path);
    if (identity.version <= kSchemaVersion) return;
    throw error_of(Kind::bad_data, path,
                   fmt::format("{}: it is read here, but not written; left untouched. Go on with "
                               "that Lockstep, or name another --store",
                               written_by_newer(identity.version)));
}

void require_readable(SQLite::Database& db, std::int64_t version, const fs::path& path) {
    const std::vector<std::string> missing = missing_columns(db);
    if (missing.empty()) return;
    throw error_of(Kind::bad_data, path,
                   fmt::format("{}, and cannot be read here: it has no {}. Read it with that "
                               "Lockstep; left untouched",
                               written_by_newer(version), missing.front()));
}

// Settings of the connection; they change nothing in the file.
void set_up(SQLite::Database& db) {
    db.exec("PRAGMA trusted_schema = OFF");
    db.exec("PRAGMA foreign_keys = ON");
    // FULL leaves the removal of the journal to a later sync: after a loss of power a transaction
    // that was told as committed would be rolled back.
    db.exec("PRAGMA synchronous = EXTRA");
    sqlite3_extended_result_codes(db.getHandle(), 1);
}

bool is_on_network(const fs::path& path) {
    const std::optional<std::int64_t> type = file_system_type(path);
    return type && file_system_kind(*type).is_network;
}

// A user's program may have switched the file to WAL, which does not work between machines. While
// that program is open there is no way back; on a file system of this machine it works as well.
void return_to_rollback_journal(SQLite::Database& db, const fs::path& path, int wait_milliseconds) {
    if (db.execAndGet("PRAGMA journal_mode").getString() == "delete") return;
    db.setBusyTimeout(0);
    try {
        db.exec("PRAGMA journal_mode = DELETE");
    } catch (const SQLite::Exception& error) {
        if ((error.getErrorCode() & 0xff) != SQLITE_BUSY || is_on_network(path)) throw;
    }
    db.setBusyTimeout(wait_milliseconds);
}

// Creates the schema, or brings an older one up to date. Another process may have been first.
void bring_up_to_date(SQLite::Database& db, const fs::path& path) {
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    const Identity identity = identity_of(db);
    if (identity.is_empty()) {
        create_schema(db);
    } else {
        require_writable(identity, path);
        if (identity.version < kSchemaVersion) upgrade_schema(db);
    }
    transaction.commit();
}

// Beside the database, once a version: lockstep.db.version3. Refused with it if it cannot be made.
void back_up(SQLite::Database& db, const fs::path& path, std::int64_t version) {
    fs::path copy = path;
    copy += fmt::format(".version{}", version);
    std::error_code ignored;
    if (fs::exists(copy, ignored)) return;
    fs::path unfinished = copy;
    unfinished += fmt::format(".tmp.{}", ::getpid());
    fs::remove(unfinished, ignored);
    SQLite::Statement statement(db, "VACUUM INTO ?1");
    statement.bind(1, unfinished.string());
    statement.exec();
    sync_file(unfinished);  // VACUUM INTO does not
    rename_file(unfinished, copy);
}

void require_undamaged(SQLite::Database& db, const fs::path& path) {
    const std::string found = db.execAndGet("PRAGMA quick_check(1)").getString();
    if (found != "ok") {
        throw error_of(Kind::bad_data, path,
                       fmt::format("damaged ({}); left untouched, sqlite3's .recover may save what "
                                   "it holds",
                                   found));
    }
}

std::unique_ptr<SQLite::Database> open_for_writing(const fs::path& path, DatabaseAccess access,
                                                   int wait_milliseconds) {
    const bool is_known = access == DatabaseAccess::read_write_again;
    auto db = std::make_unique<SQLite::Database>(
        path.string(), SQLite::OPEN_READWRITE | (is_known ? 0 : SQLite::OPEN_CREATE),
        wait_milliseconds);
    set_up(*db);
    if (identity_of(*db).is_empty()) bring_up_to_date(*db, path);
    require_writable(identity_of(*db), path);
    // Where the file system is read-only SQLite opens for reading without a word.
    if (sqlite3_db_readonly(db->getHandle(), "main") == 1) {
        throw error_of(Kind::no_permission, path, "it can only be read");
    }
    // Reads all of it: once a start is enough.
    if (!is_known) require_undamaged(*db, path);
    return_to_rollback_journal(*db, path, wait_milliseconds);
    const std::int64_t version = identity_of(*db).version;
    if (version < kSchemaVersion) {
        back_up(*db, path, version);
        bring_up_to_date(*db, path);
    }
    return db;
}

std::unique_ptr<SQLite::Database> open_for_reading(const fs::path& path, int flags,
                                                   int wait_milliseconds) {
    auto db = std::make_unique<SQLite::Database>(path.string(), flags, wait_milliseconds);
    set_up(*db);
    const Identity identity = identity_of(*db);
    if (identity.is_empty()) throw error_of(Kind::missing, path, "it is empty");
    require_ours(identity, path);
    if (identity.version < kSchemaVersion) show_as_new_schema(*db);
    if (identity.version > kSchemaVersion) {
        require_readable(*db, identity.version, path);
        show_own_views(*db);
    }
    db->exec("PRAGMA query_only = ON");
    return db;
}

}  // namespace

std::int64_t version_of(SQLite::Database& db) {
    return db.execAndGet("PRAGMA user_version").getInt64();
}

void require_writable_version(SQLite::Database& db, const fs::path& path) {
    require_writable(identity_of(db), path);
}

StorageError storage_error(const SQLite::Exception& error, const fs::path& database) {
    const char* what = error.what();
    if (error.getExtendedErrorCode() == SQLITE_READONLY_DBMOVED) {
        return error_of(Kind::io, database, "deleted or replaced while it was open");
    }
    switch (error.getErrorCode() & 0xff) {
        case SQLITE_NOTADB:
            return error_of(Kind::bad_data, database, "no SQLite database; left untouched");
        case SQLITE_CORRUPT:
            return error_of(
                Kind::bad_data, database,
                fmt::format("damaged ({}); sqlite3's .recover may save what it holds", what));
        case SQLITE_CONSTRAINT:
            return error_of(Kind::bad_data, database,
                            fmt::format("a row breaks a rule of its table: {}", what));
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return error_of(Kind::locked, database, "another program holds it locked");
        case SQLITE_FULL:
            return error_of(Kind::full, database, what);
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return error_of(Kind::no_permission, database, what);
        case SQLITE_CANTOPEN:
            return error_of(Kind::cannot_create, database, what);
        case SQLITE_NOMEM:
            throw std::bad_alloc();
        default:
            return error_of(Kind::io, database, what);
    }
}

bool roll_back_for(const SQLite::Exception& error, const fs::path& database) {
    // A copy that is made by sqlite3_backup_step() tells it in the first one.
    const bool is_it = error.getErrorCode() == SQLITE_READONLY_ROLLBACK ||
                       error.getExtendedErrorCode() == SQLITE_READONLY_ROLLBACK;
    if (!is_it) return false;
    open_run_database(database, DatabaseAccess::read_only);
    return true;
}

std::unique_ptr<SQLite::Database> open_run_database(const fs::path& path, DatabaseAccess access,
                                                    std::chrono::milliseconds wait) {
    const auto milliseconds = static_cast<int>(wait.count());
    const fs::path absolute = absolute_path(path);
    require_reachable(absolute, access);
    try {
        if (access != DatabaseAccess::read_only)
            return open_for_writing(absolute, access, milliseconds);
        return open_for_reading(absolute, SQLite::OPEN_READONLY, milliseconds);
    } catch (const SQLite::Exception& error) {
        // A writer was killed in a transaction: what it left half done must be rolled back first,
        // and that takes the right to write.
        if (access == DatabaseAccess::read_only &&
            (error.getErrorCode() & 0xff) == SQLITE_READONLY) {
            try {
                return open_for_reading(absolute, SQLite::OPEN_READWRITE, milliseconds);
            } catch (const SQLite::Exception& second) {
                if ((second.getErrorCode() & 0xff) == SQLITE_READONLY)
                    throw left_half_done(absolute);
                throw storage_error(second, absolute);
            }
        }
        throw storage_error(error, absolute);
    }
}

}  // namespace lockstep::storage
