#pragma once

// Inside storage only: SQL of a user's on a database in memory. It may read that database and do
// nothing else: no writing, no ATTACH, no extension, no pragma but those that only tell something,
// and no more of SQLite's virtual instructions than it is given.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {

class QueryGuard {
public:
    // Guards `db`, which must outlive it, from now on.
    //   instructions   of SQLite's virtual machine, over all statements
    QueryGuard(SQLite::Database& db, std::int64_t instructions);
    ~QueryGuard();
    QueryGuard(const QueryGuard&) = delete;
    QueryGuard& operator=(const QueryGuard&) = delete;

    // What an error of SQLite under this guard means: no_permission for what is forbidden,
    // bad_statement for what takes too long or is no SQL, bad_data where the database is damaged.
    //   subject   what the user gave: "the query"
    StorageError error(const SQLite::Exception& error, std::string_view subject) const;

    // Throws StorageError (bad_statement) unless the text is one statement, and SQLite::Exception
    // if SQLite does not understand it.
    void require_one_statement(const std::string& sql) const;

private:
    static int authorize(void* guard, int action, const char* first, const char* second,
                         const char* database, const char* trigger);
    static int count_down(void* guard);

    SQLite::Database& db_;
    std::int64_t looks_left_;
    bool was_forbidden_ = false;
};

}  // namespace lockstep::storage
