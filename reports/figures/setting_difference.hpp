#pragma once

// The settings in which two runs differ. Computes; prints nothing.

#include <string>
#include <vector>

#include "reports/figures/config_text.hpp"

namespace lockstep::reports {

struct SettingDifference {
    std::string key;    // train.batch_size; layers.2.filters; layers.2 for a whole layer
    std::string first;  // as TOML; "" where the run has no such setting
    std::string second;

    bool operator==(const SettingDifference&) const = default;
};

// In the order of the first run's settings, without what its source printed (`expect`). Layers are
// matched as a longest common subsequence, so that one layer more is one difference; a layer's
// number is the first run's, or the second's where only that one has it. Layer names, which count
// the layers, differ only where nothing else does; where the other run has a layer of that name
// elsewhere, the key says whose it is: "layers.conv2d_2 (of first)".
std::vector<SettingDifference> setting_differences(const std::vector<ConfigValue>& first,
                                                   const std::vector<ConfigValue>& second);

}  // namespace lockstep::reports
