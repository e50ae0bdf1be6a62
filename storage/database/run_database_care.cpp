// What `fsck`, `rm` and `gc` change in the database.

#include <fmt/format.h>
#include <sqlite3.h>

#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {

void RunDatabase::write_at_once(const std::function<void()>& work) {
    connection_->write([&](SQLite::Database&) { work(); });
}

void RunDatabase::remove_run(std::string_view run) {
    connection_->write([&](SQLite::Database& db) {
        // All that belongs to it goes with it. The experiment's row goes with its last run.
        execute(db, "DELETE FROM runs WHERE run = ?1", run);
        execute(db, R"sql(
            DELETE FROM experiments
            WHERE name NOT IN (SELECT experiment FROM runs UNION
                               SELECT experiment FROM experiment_runs))sql");
    });
}

void RunDatabase::remove_artifact(std::string_view run, std::string_view kind) {
    connection_->write([&](SQLite::Database& db) {
        execute(db, "DELETE FROM artifacts WHERE run = ?1 AND kind = ?2", run, kind);
    });
}

void RunDatabase::promote_previous_checkpoint(std::string_view run, std::string_view sha256) {
    connection_->write([&](SQLite::Database& db) {
        promote_previous_row(db, std::string(run), std::string(sha256));
    });
}

void RunDatabase::set_state_by_hand(std::string_view run, RunState before, RunState state,
                                    std::string_view cause, std::string_view utc) {
    connection_->write([&](SQLite::Database& db) {
        execute(db, "UPDATE runs SET state = ?3 WHERE run = ?1 AND state = ?2", run,
                to_string(before), to_string(state));
        if (sqlite3_changes(db.getHandle()) == 0) return;  // somebody has taken it meanwhile
        execute(db, R"sql(
            UPDATE attempts SET outcome = 'interrupted', cause = ?2, finished_utc = ?3
            WHERE run = ?1 AND outcome = 'running')sql",
                run, cause, utc);
        execute(db, R"sql(
            INSERT INTO events (run, attempt, utc, kind, text)
            SELECT ?1, coalesce(max(attempt), 0), ?2, 'repaired', ?3
            FROM attempts WHERE run = ?1)sql",
                run, utc, cause);
    });
}

std::int64_t RunDatabase::unused_bytes() const {
    return connection_->use([](SQLite::Database& db) {
        return db.execAndGet("PRAGMA freelist_count").getInt64() *
               db.execAndGet("PRAGMA page_size").getInt64();
    });
}

void RunDatabase::shrink() {
    connection_->use([](SQLite::Database& db) { db.exec("VACUUM"); });
}

}  // namespace lockstep::storage
