#pragma once

// Inside storage only: a statement's result as a Table.

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <limits>

#include "storage/records/records.hpp"

namespace lockstep::storage {

// Steps through the whole statement; stops after max_rows with StorageError (bad_data).
Table read_table(SQLite::Statement& statement,
                 std::int64_t max_rows = std::numeric_limits<std::int64_t>::max());

}  // namespace lockstep::storage
