#pragma once

// A run's effective configuration, as the store keeps it (one value a line, its origin behind it),
// read for showing and for telling designs apart (design.hpp). No TOML parser: the text is
// ours, and one that is not is shown as far as it goes.

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::reports {

struct ConfigValue {
    std::string key;     // train.batch_size; layers.0.filters
    std::string value;   // as TOML: 32, "adam", [3, 3]
    std::string origin;  // default, tutorials.toml:12, --set; "" if unknown
};

std::vector<ConfigValue> config_values(std::string_view effective_config);

// The value of a key; "" if there is none.
std::string_view value_of(const std::vector<ConfigValue>& values, std::string_view key);

// mirror of "mirror"; of a value that is no text the value.
std::string_view text_in(std::string_view value);

// The strings of a list: ["airplane", "bird"]. Empty where it is none.
std::vector<std::string> list_of_texts(std::string_view value);

}  // namespace lockstep::reports
