#pragma once

#include <cstddef>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// A table of more columns than a line has room for, as tables to stand below each other: each
// begins with the first column, and goes on where the one before it ended. A text that has no room
// even beside the first column alone goes on in further rows. One table at least.
std::vector<storage::Table> column_blocks(const storage::Table& table, std::size_t width);

}  // namespace lockstep::reports
