#pragma once

#include <vector>

#include "reports/figures/config_text.hpp"
#include "reports/figures/test_set.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// What a run's accuracies are measured on.
//   config   its effective configuration
TestSet test_set_of(const storage::RunRow& run, const std::vector<ConfigValue>& config);
TestSet test_set_of(const storage::RunRow& run);  // which reads that first

}  // namespace lockstep::reports
