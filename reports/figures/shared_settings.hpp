#pragma once

#include <string>
#include <vector>

#include "reports/figures/config_text.hpp"
#include "reports/figures/run_figures.hpp"

namespace lockstep::reports {

// The settings that can change a result and that all runs have with one value, in the order of the
// first run's configuration. Of layers none: networks are told as wholes.
struct SharedSettings {
    std::vector<ConfigValue> written;   // in the file, or by --set, of some run
    std::vector<ConfigValue> defaults;  // that nobody touched
};
SharedSettings shared_settings(const std::vector<RunFigures>& runs);

}  // namespace lockstep::reports
