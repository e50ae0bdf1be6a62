#pragma once

// Tables of usual columns, as a terminal has room for.

#include <cstddef>
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

// How a table is fitted into a terminal.
struct Fitting {
    // Columns on the right that have no room, and for people those without a value. Else texts are
    // broken into lines, and what still has no room is shown a row below the other.
    bool may_drop = true;
    std::vector<std::string> kept{};  // these stay; the first one does too
    reports::ColumnPairs together{};  // both stay, or both leave
    std::string_view where_the_rest_is = "--columns all shows every one";
    std::vector<std::string> notes{};  // lines below the table, for people
};

// Prints. For people without columns in which no row has a value; on a terminal, as aligned
// columns, those that have no room are left out; standard error then says how many, and how to see
// them. Where those that stay have no room, their texts are broken into lines; where that is not
// enough, each row is printed as lines of its own.
void print_fitting(const storage::Table& table, reports::TableFormat format,
                   const Fitting& fitting = {});

// Says on standard error that no row is shown.
//   of    rows that there are without a choice
void tell_no_rows(std::size_t of);

// Says on standard error how many columns had no room; nothing of none.
void tell_left_out(std::size_t columns, std::string_view where_the_rest_is);

// A section, and which of its columns stay beside the first one.
struct FittingSection {
    reports::Section section;
    std::vector<std::string> kept{};
};

struct FittedText {
    std::string text;
    std::size_t left_out = 0;  // columns
};

// Sections for people: as print_fitting() has them, and long texts in several lines.
FittedText fitting_sections(const std::vector<FittingSection>& sections,
                            reports::TableFormat format);

// The same with every column that has a value in some row: those that have no room beside each
// other stand below, behind the first one once more.
std::string whole_sections(const std::vector<reports::Section>& sections,
                           reports::TableFormat format);

}  // namespace lockstep::pipeline
