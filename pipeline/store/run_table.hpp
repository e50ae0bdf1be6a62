#pragma once

// The runs of a store as one table: figures, and every effective setting (docs/settings.md).

#include <span>
#include <string>
#include <string_view>

#include "pipeline/store/row_options.hpp"
#include "reports/tables/setting_columns.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// v_runs without its JSON, a column for each setting behind; states as they are (runs_table_of()).
reports::SettingsTable runs_with_settings(const storage::RunDatabase& database,
                                          const std::string& experiment);

// chosen_rows() of a table with settings: the end of a key names it, in a condition without quotes,
// and the column "all" means every one.
//   usual_columns   full keys of settings among them
// Throws UsageError as chosen_rows(), and for an end that several keys have.
storage::Table chosen_rows(const reports::SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns);

// The same with `more` columns behind, of the same rows: what a verb has to know of them.
struct ChosenRows {
    storage::Table shown;
    storage::Table more;
};
ChosenRows chosen_rows_and(const reports::SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns,
                           std::span<const std::string_view> more);

// The columns that a user sorts by, or that a condition is about: full names, each once.
// Throws UsageError for what may mean several.
std::vector<std::string> asked_columns(const reports::SettingsTable& settings,
                                       const RowOptions& options);

}  // namespace lockstep::pipeline
