#pragma once

// A run's effective settings by flat keys, as columns of tables have them (docs/settings.md).

#include <string>
#include <string_view>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

struct RunSetting {
    std::string key;      // train.optimizer.momentum; layers.conv2d_1.filters
    storage::Cell value;  // number or text: no quotes around texts, lists as TOML, true, false
};

// Of an effective configuration (config_text.hpp), in its order. A layer is called by its name.
// Not among them: name, title, source and what the source printed.
std::vector<RunSetting> run_settings(std::string_view effective_config);

// {"train.batch_size":32,...}
std::string settings_json(const std::vector<RunSetting>& settings);

}  // namespace lockstep::reports
