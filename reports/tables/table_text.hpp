#pragma once

// Tables as text. Prints; computes nothing.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/tables/table_format.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// In every format the text ends with a newline and user text is inert:
//   table   aligned columns, numbers to the right and rounded for reading (a column's name tells
//           its unit: accuracies with their intervals, losses, precision, recall
//           and f1 to 4 digits, seconds to 1); NULL is empty, NaN "NaN";
//           control characters escaped
//   csv     RFC 4180 with a header line and LF; numbers exact; NULL is empty, NaN "NaN"
//   json    an array of objects in the order of the columns; numbers exact; NULL, NaN and
//           infinities are null, as JSON has no such numbers; of columns of one name the second is
//           "name:1", the third "name:2", as SQLite calls them in a view
//   md      a GitHub table with the numbers of `table`; Markdown and HTML escaped
std::string table_text(const storage::Table& table, TableFormat format);

// Text as `md` has it.
std::string markdown_text(std::string_view text);

// Columns of a terminal that `table` takes as aligned columns.
std::size_t table_width(const storage::Table& table);

// A cell as `table` shows it, of a column of this name.
std::string cell_text(std::string_view column, const storage::Cell& cell);

// A table with a heading, one of several about one thing.
struct Section {
    std::string title;  // "epochs"; the key in JSON
    storage::Table table;
};

// All sections below each other; in JSON one object with an array for each.
// CSV has room for one table alone: throws std::invalid_argument.
std::string sections_text(const std::vector<Section>& sections, TableFormat format);

}  // namespace lockstep::reports
