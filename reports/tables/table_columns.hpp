#pragma once

// Columns of a table by their names.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// The place of a column in each row; table.columns.size() if there is none.
std::size_t place_of(const storage::Table& table, std::string_view column);

void erase_column(storage::Table& table, std::size_t place);

// A column in front of the one at `place`.
//   cells   one for each row
void insert_column(storage::Table& table, std::size_t place, const std::string& name,
                   const std::vector<storage::Cell>& cells);

}  // namespace lockstep::reports
