#include <fmt/format.h>

#include "storage/database/attempt_rows.hpp"
#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"

namespace lockstep::storage {
namespace {

void import_attempt(SQLite::Database& db, const AttemptRow& row) {
    insert_attempt(db, row.run, row.attempt, row);
    const bool lasts = row.outcome == "running";
    execute(db, R"sql(
        UPDATE attempts SET outcome = ?3, cause = ?4, finished_utc = nullif(?5, ''),
            heartbeat_utc = ?6, heartbeats = ?7
        WHERE run = ?1 AND attempt = ?2)sql",
            row.run, row.attempt, lasts ? "interrupted" : row.outcome,
            lasts ? "merged while it lasted" : row.cause, row.finished_utc, row.heartbeat_utc,
            row.heartbeats);
}

// The experiments in whose lists it stands.
std::vector<std::string> lists_of(SQLite::Database& db, const std::string& run) {
    SQLite::Statement select(db, "SELECT experiment FROM experiment_runs WHERE run = ?1");
    bind_values(select, run);
    std::vector<std::string> experiments;
    while (select.executeStep()) experiments.push_back(select.getColumn(0).getString());
    return experiments;
}

}  // namespace

void RunDatabase::import_run(const RunDetails& details, std::span<const StepRow> steps) {
    const std::string& run = details.run.run;
    connection_->write([&](SQLite::Database& db) {
        for (const AttemptRow& row : attempts(run)) {
            if (row.outcome != "running") continue;
            throw StorageError(StorageError::Kind::locked,
                               fmt::format("run {} is being trained, or was and has not been taken "
                                           "up since",
                                           run));
        }
        const std::vector<std::string> lists = lists_of(db, run);
        execute(db, "DELETE FROM runs WHERE run = ?1", run);
        upsert_run(db, details.run);
        for (const std::string& experiment : lists)
            execute(db, "INSERT OR IGNORE INTO experiment_runs (experiment, run) VALUES (?1, ?2)",
                    experiment, run);
        const bool lasts = details.run.state == RunState::running;
        set_state(db, run, lasts ? RunState::interrupted : details.run.state);
        for (const AttemptRow& row : details.attempts) import_attempt(db, row);
        for (const EpochRow& row : details.epochs) upsert_epoch(db, row);
        update_totals(db, run);
        upsert_steps(db, steps);
        upsert_metrics(db, details.metrics);
        for (const ArtifactRow& row : details.artifacts) upsert_artifact(db, row);
        for (const EventRow& row : details.events) insert_event(db, row);
        for (const std::string& tag : details.tags) insert_tag(db, run, tag);
    });
}

}  // namespace lockstep::storage
