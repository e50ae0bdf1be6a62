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

// The first `most` letters of UTF-8, and an ellipsis where there are more.
std::string shortened(const std::string& text, std::size_t most);

}  // namespace lockstep::reports
