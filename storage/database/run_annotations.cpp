// What belongs to a run beside its own training: a user's words, and the epochs of a parent.

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "storage/database/attempt_rows.hpp"
#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::storage {

void insert_tag(SQLite::Database& db, std::string_view run, const std::string& tag) {
    execute(db, "INSERT OR IGNORE INTO run_tags (run, tag) VALUES (?1, ?2)", run, tag);
}

void RunDatabase::annotate(std::string_view run, const Annotation& annotation) {
    for (const std::string& tag : annotation.added_tags)
        if (!is_safe_name(tag)) throw std::invalid_argument(fmt::format("no tag: \"{}\"", tag));
    connection_->write([&](SQLite::Database& db) {
        if (!find_run(run))
            throw StorageError(StorageError::Kind::missing, fmt::format("there is no run {}", run));
        for (const std::string& tag : annotation.added_tags) insert_tag(db, run, tag);
        for (const std::string& tag : annotation.removed_tags)
            execute(db, "DELETE FROM run_tags WHERE run = ?1 AND tag = ?2", run, tag);
        if (annotation.note)
            execute(db, "UPDATE runs SET notes = ?2 WHERE run = ?1", run, *annotation.note);
    });
}

void RunDatabase::record_extension(int attempt, const RunExtension& extension) {
    const std::string& run = extension.run;
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, run, attempt);
        int epochs = 0;
        for (EpochRow row : extension.epochs) {
            row.run = run;
            row.attempt = attempt;
            upsert_epoch(db, row);
            epochs = std::max(epochs, row.epoch);
        }
        update_totals(db, run);
        upsert_steps(db, extension.steps);
        for (const ArtifactRow& row : extension.artifacts) upsert_artifact(db, row);
        execute(db, "UPDATE runs SET parent_run = ?2 WHERE run = ?1", run, extension.parent);
        execute(db, "UPDATE attempts SET first_epoch = ?3 WHERE run = ?1 AND attempt = ?2", run,
                attempt, epochs + 1);
        insert_event(db, {run, attempt, utc_now(), "extended",
                          fmt::format("after epoch {} of {}", epochs, extension.parent)});
    });
}

}  // namespace lockstep::storage
