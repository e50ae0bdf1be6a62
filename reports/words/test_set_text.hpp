#pragma once

#include <string>

#include "reports/figures/test_set.hpp"

namespace lockstep::reports {

// "cifar10, 3 classes (airplane, automobile, bird), 3,000 test images". Sets that differ may read
// alike: compare the sets themselves.
std::string test_set_text(const TestSet& set);

}  // namespace lockstep::reports
