#pragma once

#include <string>

#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

// Which classes have no sample in a split that has samples, in words; "" where all have some.
std::string missing_classes(const trainer::RunData& data);

}  // namespace lockstep::pipeline
