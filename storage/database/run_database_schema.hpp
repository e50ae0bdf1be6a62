#pragma once

// Inside storage only: the tables and views of lockstep.db. docs/database_schema.md describes them.
//
// Version 2 added run_totals and columns of the views; version 3 what tells the design of a run
// (its rows before that say ''). All functions throw SQLite::Exception; those that change the file
// are called inside a transaction.

#include <SQLiteCpp/SQLiteCpp.h>

#include <string_view>

namespace lockstep::storage {

// Tables, views, application_id and user_version, in an empty database.
void create_schema(SQLite::Database& db);
// Of it the tables and indexes alone.
void create_tables(SQLite::Database& db);

// Turns a database of an older version into one of this version; its rows stay.
void upgrade_schema(SQLite::Database& db);

// Lets a connection that may not write see a database of an older version as one of this.
void show_as_new_schema(SQLite::Database& db);
// The same for one of a newer version that has all tables: the views are those of this version.
void show_own_views(SQLite::Database& db);

// Brings the run's row of run_totals up to date, after its epochs changed.
void update_totals(SQLite::Database& db, std::string_view run);

}  // namespace lockstep::storage
