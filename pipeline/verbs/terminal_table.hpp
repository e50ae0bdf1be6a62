#pragma once

// Tables of usual columns, as a terminal has room for.

#include <string>
#include <string_view>
#include <vector>

#include "reports/tables/fitting_table.hpp"
#include "reports/tables/setting_columns.hpp"
#include "reports/tables/table_format.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// Whether a format is read by people rather than programs.
bool shows_to_people(reports::TableFormat format);

// The name that people are shown a column by: a setting's is the shortest end of its key.
std::string shown_name(const reports::SettingsTable& settings, const std::string& column);
// Calls settings so.
void shorten_settings(const reports::SettingsTable& settings, storage::Table& shown);

// What may leave a table that a terminal has no room for.
struct Fitting {
    bool may_drop = true;             // columns, on the right, and those without a value
    std::vector<std::string> kept{};  // these stay; the first one does too
    reports::ColumnPairs together{};  // both stay, or both leave
    std::string_view where_the_rest_is = "--columns all shows every one";
};

// Prints. For people without columns in which no row has a value; on a terminal, as aligned
// columns, those that have no room are left out; standard error then says how many, and how to see
// them.
void print_fitting(const storage::Table& table, reports::TableFormat format,
                   const Fitting& fitting = {});

// Sections for people: as print_fitting() has them, and long texts in several lines.
std::string fitting_sections(std::vector<reports::Section> sections, reports::TableFormat format);

}  // namespace lockstep::pipeline
