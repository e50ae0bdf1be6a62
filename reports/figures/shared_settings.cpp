#include "reports/figures/shared_settings.hpp"

#include <algorithm>
#include <string_view>

#include "reports/figures/design.hpp"

namespace lockstep::reports {
namespace {

constexpr std::string_view kDefault = "default";

const ConfigValue* find(const std::vector<ConfigValue>& values, std::string_view key) {
    const auto found = std::ranges::find(values, key, &ConfigValue::key);
    return found == values.end() ? nullptr : &*found;
}

}  // namespace

SharedSettings shared_settings(const std::vector<RunFigures>& runs) {
    SharedSettings shared;
    if (runs.empty()) return shared;
    for (const ConfigValue& setting : runs.front().config) {
        if (!changes_results(setting.key) || setting.key.starts_with("layers.")) continue;
        bool is_shared = true, is_default = true;
        for (const RunFigures& run : runs) {
            const ConfigValue* own = find(run.config, setting.key);
            is_shared = is_shared && own != nullptr && own->value == setting.value;
            is_default = is_default && own != nullptr && own->origin == kDefault;
        }
        if (is_shared) (is_default ? shared.defaults : shared.written).push_back(setting);
    }
    return shared;
}

}  // namespace lockstep::reports
