#pragma once

// Inside storage only: what every write of a run shares.

#include <SQLiteCpp/SQLiteCpp.h>

#include <span>
#include <string_view>

#include "storage/records/records.hpp"

namespace lockstep::storage {

// Throws StorageError (taken_over) if a newer attempt of the run has begun, or this one is none.
void require_newest_attempt(SQLite::Database& db, std::string_view run, int attempt);

// Throws StorageError (missing) if there is no such run.
void set_state(SQLite::Database& db, std::string_view run, RunState state);

void insert_event(SQLite::Database& db, const EventRow& row);

// An attempt as it stands in `row`, under a number of its own.
void insert_attempt(SQLite::Database& db, std::string_view run, int attempt, const AttemptRow& row);

// Puts a stored run into an experiment's list.
void list_run(SQLite::Database& db, std::string_view experiment, std::string_view run);

void insert_tag(SQLite::Database& db, std::string_view run, const std::string& tag);

// By their keys.
void upsert_run(SQLite::Database& db, const RunRow& row);
void upsert_epoch(SQLite::Database& db, const EpochRow& row);
void upsert_steps(SQLite::Database& db, std::span<const StepRow> rows);
void upsert_metrics(SQLite::Database& db, std::span<const MetricRow> rows);
void upsert_artifact(SQLite::Database& db, const ArtifactRow& row);

}  // namespace lockstep::storage
