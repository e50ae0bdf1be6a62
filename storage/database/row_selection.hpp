#pragma once

// Some rows and columns of a table, chosen by a user: `--where`, `--sort`, `--columns`, `--limit`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::storage {

struct SortKey {
    std::string column;
    bool is_descending = false;  // cells without a value come last either way
};

struct RowSelection {
    std::string where;                  // an SQL expression over the table's columns; "": all rows
    std::vector<SortKey> sort;          // the first one counts most; rows that are equal keep their
                                        // order
    std::vector<std::string> columns;   // in this order; empty: all
    std::optional<std::int64_t> limit;  // rows at most; none if negative
};

// SQLite judges the expression over a table in memory, called `name`, which is all it can see: no
// file, no other table, nothing to change. Text is compared byte by byte, as in the run database.
// Throws StorageError
//   bad_statement   if `where` is not one expression over these columns, or takes too long; or if a
//                   column of `sort` or `columns` does not exist
//   no_permission   if `where` tries more than reading
Table select_rows(const Table& table, std::string_view name, const RowSelection& selection);

}  // namespace lockstep::storage
