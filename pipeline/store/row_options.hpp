#pragma once

// `--where`, `--sort`, `--columns` and `--limit`: what a reading verb shows of a table.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// What is shown of a table.
struct RowOptions {
    std::string where;                  // an SQL expression over its columns; empty: all rows
    std::vector<std::string> sort;      // columns; "-val_accuracy" from high to low
    std::vector<std::string> columns;   // empty: the usual ones
    std::optional<std::int64_t> limit;  // rows, >= 0
};

// The rows and columns of `table`, which is called `name`, that a user asks for.
//   usual_columns   those shown where the user names none; empty: all
// Throws
//   UsageError     for a column that does not exist, with a suggestion, and for a condition that is
//                  not one SQL expression over the columns
//   StorageError   (no_permission) if the condition tries more than reading
storage::Table chosen_rows(const storage::Table& table, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns);

}  // namespace lockstep::pipeline
