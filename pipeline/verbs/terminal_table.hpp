#pragma once

// Tables of usual columns, as a terminal has room for.

#include "reports/tables/setting_columns.hpp"
#include "reports/tables/table_format.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// Whether a format is read by people rather than programs.
bool shows_to_people(reports::TableFormat format);

// Calls settings by the shortest ends of their keys.
void shorten_settings(const reports::SettingsTable& settings, storage::Table& shown);

// Prints. On a terminal, as aligned columns, those on the right that have no room are left out if
// they `may_drop`; standard error then says how many, and how to see them. The first one stays.
void print_fitting(const storage::Table& table, reports::TableFormat format, bool may_drop);

}  // namespace lockstep::pipeline
