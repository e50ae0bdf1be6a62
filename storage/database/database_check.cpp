#include "storage/database/database_check.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <memory>
#include <system_error>

#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyMilliseconds = 30000;
constexpr int kMostDamage = 20;  // lines; one damaged page may give thousands

// Parents before what refers to them.
constexpr std::array kTables{"experiments", "runs",      "attempts", "epochs",          "steps",
                             "metrics",     "artifacts", "events",   "experiment_runs", "run_tags"};

// A read-only connection is refused with this where a journal is left to be rolled back.
bool has_hot_journal(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(fs::path(path) += "-journal", error)) return false;
    try {
        SQLite::Database db(path.string(), SQLite::OPEN_READONLY, kBusyMilliseconds);
        db.execAndGet("PRAGMA user_version");
    } catch (const SQLite::Exception& sqlite) {
        return sqlite.getExtendedErrorCode() == SQLITE_READONLY_ROLLBACK ||
               sqlite.getErrorCode() == SQLITE_READONLY;
    }
    return false;
}

std::vector<std::string> damage_of(SQLite::Database& db) {
    std::vector<std::string> lines;
    try {
        SQLite::Statement check(db, fmt::format("PRAGMA integrity_check({})", kMostDamage));
        while (check.executeStep()) lines.push_back(check.getColumn(0).getString());
    } catch (const SQLite::Exception& error) {
        lines.emplace_back(error.what());
    }
    if (lines.size() == 1 && lines.front() == "ok") lines.clear();
    return lines;
}

std::int64_t count_without_parent(SQLite::Database& db) {
    SQLite::Statement check(db, "PRAGMA foreign_key_check");
    std::int64_t count = 0;
    while (check.executeStep()) ++count;
    return count;
}

// Call in a transaction: a writer that holds more pages than the file says would be seen, else.
std::int64_t bytes_behind_end(SQLite::Database& db, const fs::path& path) {
    const std::int64_t known = db.execAndGet("PRAGMA page_count").getInt64() *
                               db.execAndGet("PRAGMA page_size").getInt64();
    return static_cast<std::int64_t>(fs::file_size(path)) - known;
}

std::int64_t count_differing_totals(SQLite::Database& db) {
    SQLite::Statement count(db, R"sql(
        SELECT count(*) FROM runs r
        LEFT JOIN run_totals t ON t.run = r.run
        LEFT JOIN (SELECT run, count(*) AS epochs_finished, max(epoch) AS last_epoch,
                          sum(training_count) AS training_count
                   FROM epochs GROUP BY run) e ON e.run = r.run
        WHERE t.epochs_finished IS NOT e.epochs_finished OR t.last_epoch IS NOT e.last_epoch
           OR t.training_count IS NOT e.training_count)sql");
    count.executeStep();
    return count.getColumn(0).getInt64();
}

// What only a database that is whole can be asked.
void look_at_rows(SQLite::Database& db, const fs::path& path, DatabaseCheck& check) {
    const SQLite::Transaction moment(db);
    check.rows_without_parent = count_without_parent(db);
    check.differing_totals = count_differing_totals(db);
    check.bytes_behind_end = bytes_behind_end(db, path);
}

// Epochs refer to attempts too, so they go first.
void delete_orphans(SQLite::Database& db) {
    for (const char* table : {"epochs", "steps", "metrics", "artifacts", "events", "run_totals",
                              "experiment_runs", "run_tags", "attempts"}) {
        db.exec(fmt::format("DELETE FROM {} WHERE run NOT IN (SELECT run FROM runs)", table));
    }
    db.exec(
        "DELETE FROM epochs WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.run = epochs.run "
        "AND a.attempt = epochs.attempt)");
}

// An experiment whose row is lost is known by its name still.
void make_lost_experiments(SQLite::Database& db) {
    db.exec(
        "INSERT INTO experiments (name, title, file, file_digest, created_utc) "
        "SELECT experiment, experiment, '', '', min(created_utc) FROM runs "
        "WHERE experiment NOT IN (SELECT name FROM experiments) GROUP BY experiment");
}

void mend_references(SQLite::Database& db) {
    make_lost_experiments(db);
    delete_orphans(db);
    db.exec("DELETE FROM experiment_runs WHERE experiment NOT IN (SELECT name FROM experiments)");
    db.exec("INSERT OR IGNORE INTO experiment_runs SELECT experiment, run FROM runs");
    std::vector<std::string> runs;
    SQLite::Statement all(db, "SELECT run FROM runs");
    while (all.executeStep()) runs.push_back(all.getColumn(0).getString());
    for (const std::string& run : runs) update_totals(db, run);
}

// ---- a new database ----------------------------------------------------------------------------

void bind_column(SQLite::Statement& insert, int index, const SQLite::Column& value) {
    if (value.isInteger()) return insert.bind(index, value.getInt64());
    if (value.isFloat()) return insert.bind(index, value.getDouble());
    if (value.isText()) return insert.bind(index, value.getString());
    insert.bind(index);
}

std::string insert_of(const char* table, const SQLite::Statement& select) {
    std::string names;
    std::string places;
    for (int column = 0; column < select.getColumnCount(); ++column) {
        const char* comma = column == 0 ? "" : ", ";
        names += fmt::format("{}{}", comma, select.getColumnName(column));
        places += fmt::format("{}?{}", comma, column + 1);
    }
    return fmt::format("INSERT OR IGNORE INTO {} ({}) VALUES ({})", table, names, places);
}

// Copies until the end or the first damaged page; true if it came to the end.
bool copy_rows(SQLite::Database& from, SQLite::Database& to, const char* table, const char* order) {
    try {
        SQLite::Statement select(from, fmt::format("SELECT * FROM {} ORDER BY {}", table, order));
        SQLite::Statement insert(to, insert_of(table, select));
        while (select.executeStep()) {
            for (int column = 0; column < select.getColumnCount(); ++column) {
                bind_column(insert, column + 1, select.getColumn(column));
            }
            // A value that breaks a rule of its column is damage too: that row alone is left out.
            insert.tryExecuteStep();
            insert.tryReset();
        }
        return true;
    } catch (const SQLite::Exception&) {
        return false;
    }
}

// From both ends, so that one bad page costs no more than its own rows.
bool salvage_table(SQLite::Database& from, SQLite::Database& to, const char* table) {
    if (copy_rows(from, to, table, "1, 2")) return true;
    copy_rows(from, to, table, "1 DESC, 2 DESC");
    return false;
}

Salvage fill(SQLite::Database& from, SQLite::Database& to) {
    Salvage salvage;
    SQLite::Transaction transaction(to);
    create_schema(to);
    for (const char* table : kTables) {
        if (!salvage_table(from, to, table)) salvage.cut_tables.emplace_back(table);
    }
    mend_references(to);
    for (const char* table : kTables) {
        salvage.rows += to.execAndGet(fmt::format("SELECT count(*) FROM {}", table)).getInt64();
    }
    transaction.commit();
    return salvage;
}

Salvage write_salvage(const fs::path& path, const fs::path& fresh) {
    SQLite::Database from(path.string(), SQLite::OPEN_READONLY, kBusyMilliseconds);
    require_writable_version(from, path);
    SQLite::Database to(fresh.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    to.exec("PRAGMA synchronous = FULL");
    return fill(from, to);
}

// What lies beside a database would be taken for that of the new one.
void require_alone(const fs::path& path) {
    if (has_hot_journal(path)) {
        throw StorageError(
            StorageError::Kind::io,
            fmt::format("{} has a journal that cannot be rolled back", path.string()));
    }
    std::error_code error;
    if (fs::exists(fs::path(path) += "-wal", error)) {
        throw StorageError(StorageError::Kind::locked,
                           fmt::format("{} is open in another program, which switched it to WAL "
                                       "({}-wal); close it there first",
                                       path.string(), path.filename().string()));
    }
}

// A transaction that keeps all others from writing until its connection is closed. Nothing where
// the damage allows none: then nobody can write.
std::unique_ptr<SQLite::Database> keep_writers_out(const fs::path& path) {
    try {
        auto db = std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READWRITE,
                                                     kBusyMilliseconds);
        db->exec("BEGIN IMMEDIATE");
        return db;
    } catch (const SQLite::Exception& error) {
        const int code = error.getErrorCode() & 0xff;
        if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return nullptr;
        throw storage_error(error, path);
    }
}

}  // namespace

DatabaseCheck check_database(const fs::path& path) {
    DatabaseCheck check;
    check.had_hot_journal = has_hot_journal(path);
    try {
        const auto db = open_run_database(path, DatabaseAccess::read_only);
        if (version_of(*db) > kSchemaVersion) check.newer_version = version_of(*db);
        check.damage = damage_of(*db);
        if (check.damage.empty()) look_at_rows(*db, path, check);
    } catch (const StorageError& error) {
        if (error.kind() != StorageError::Kind::bad_data &&
            error.kind() != StorageError::Kind::missing) {
            throw;
        }
        check.refusal = error.what();
    } catch (const SQLite::Exception& error) {
        check.damage.emplace_back(error.what());
    }
    return check;
}

void mend_rows(const fs::path& path) {
    const auto db = open_run_database(path, DatabaseAccess::read_write);
    try {
        SQLite::Transaction transaction(*db, SQLite::TransactionBehavior::IMMEDIATE);
        mend_references(*db);
        transaction.commit();
    } catch (const SQLite::Exception& error) {
        throw storage_error(error, path);
    }
}

Salvage rebuild_database(const fs::path& path, const fs::path& aside,
                         const std::function<void()>& require_idle) {
    require_alone(path);
    const auto guard = keep_writers_out(path);
    require_idle();
    const fs::path fresh = temporary_name(path);
    std::error_code ignored;
    fs::remove(fresh, ignored);
    try {
        Salvage salvage = write_salvage(path, fresh);
        // A second name first: so there is a database at every moment.
        fs::create_hard_link(path, aside);
        rename_file(fresh, path);
        return salvage;
    } catch (const fs::filesystem_error& error) {
        fs::remove(fresh, ignored);
        throw StorageError(StorageError::Kind::io, error.what());
    } catch (const SQLite::Exception& error) {
        fs::remove(fresh, ignored);
        throw storage_error(error, path);
    } catch (const StorageError&) {
        fs::remove(fresh, ignored);
        throw;
    }
}

}  // namespace lockstep::storage
