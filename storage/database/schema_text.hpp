#pragma once

// What the tables, views and columns of lockstep.db mean, for programs that show them to people.
// docs/database_schema.md says the same at greater length.

#include <span>
#include <string>
#include <string_view>

namespace lockstep::storage {

struct TableText {
    const char* table;  // or view
    const char* text;
};

struct ColumnText {
    const char* table;  // "": any that has a column of this name and no text of its own for it
    const char* column;
    const char* unit;  // "s", "1/s", "byte"; "" for numbers without one, and for texts
    const char* text;
};

std::span<const TableText> table_texts();
std::span<const ColumnText> column_texts();

// The text of a column; null if there is none.
const ColumnText* column_text(std::string_view table, std::string_view column);

}  // namespace lockstep::storage
