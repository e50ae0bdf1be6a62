#pragma once

// Inside storage only: the views of lockstep.db, of this version. docs/database_schema.md describes
// them. The functions throw SQLite::Exception.

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace lockstep::storage {

//   create   "CREATE VIEW " or "CREATE TEMP VIEW "
void create_views(SQLite::Database& db, const std::string& create);
// Those of any version that have their names.
void drop_views(SQLite::Database& db);

}  // namespace lockstep::storage
