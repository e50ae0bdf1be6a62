#pragma once

#include <cstddef>
#include <string>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// A table as a narrow terminal has room for it: a row is lines "column  value", one for each column
// that has a value, and an empty line stands between rows. Values go on in further lines of `width`
// characters, if that can be.
std::string record_text(const storage::Table& table, std::size_t width);

}  // namespace lockstep::reports
