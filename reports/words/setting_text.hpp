#pragma once

#include <cstddef>
#include <string>

#include "reports/figures/sweep.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// A setting's value: 0.001, same, "not set" where a run has no such setting.
std::string value_text(const storage::Cell& value);

// "momentum", "momentum (with nesterov, batch_size)": with what nothing tells apart from it. Of
// many only the first few are named.
std::string setting_text(const SweptSetting& setting);
// "nesterov, batch_size and 3 more"; "" of none.
std::string followers_text(const SweptSetting& setting);

// At most `most` letters of UTF-8: of more the beginning and, since names differ there, most of the
// end, an ellipsis between them. Fewer than 3 letters are no text: then all of it.
std::string shortened(const std::string& text, std::size_t most);

}  // namespace lockstep::reports
