#pragma once

// `--where`, `--sort`, `--columns` and `--limit`: what a reading verb shows of a table.

#include <span>
#include <string>
#include <string_view>

#include "pipeline/verbs/options.hpp"
#include "storage/records.hpp"

namespace lockstep::pipeline {

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
