#pragma once

// Inside storage only: databases whose schema is newer than this program's. They are read where
// every table and column that this version knows is still there, and never written.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::storage {

// What this version reads and the database does not have, as TABLE.COLUMN, sorted.
// Throws SQLite::Exception.
std::vector<std::string> missing_columns(SQLite::Database& db);

// "written by a newer Lockstep (its version is 9, this one knows 8)".
std::string written_by_newer(std::int64_t version);

}  // namespace lockstep::storage
