#pragma once

// JSON of files that may be anybody's.

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace lockstep::storage {

// Discarded where it is no JSON, or is nested deeper than any model of Keras: copying a value, and
// making a text of it, take stack for each level.
nlohmann::ordered_json parse_shallow_json(std::string_view text);

}  // namespace lockstep::storage
