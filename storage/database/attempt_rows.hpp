#pragma once

// Inside storage only: what every write of a run shares.

#include <SQLiteCpp/SQLiteCpp.h>

#include <string_view>

#include "storage/records/records.hpp"

namespace lockstep::storage {

// Throws StorageError (taken_over) if a newer attempt of the run has begun, or this one is none.
void require_newest_attempt(SQLite::Database& db, std::string_view run, int attempt);

// Throws StorageError (missing) if there is no such run.
void set_state(SQLite::Database& db, std::string_view run, RunState state);

void insert_event(SQLite::Database& db, const EventRow& row);

}  // namespace lockstep::storage
