#pragma once

// Keras' `model.summary()` of an architecture, with a column of operations beside it.

#include <cstdint>
#include <string>

#include "trainer/config/architecture.hpp"

namespace lockstep::pipeline {

// The whole summary: `Model: "name"`, the table, the totals. Ends with a newline.
std::string model_summary(const std::string& name, const trainer::Architecture& architecture);

// The table alone, one line a layer; what is shown when a later layer does not fit.
std::string shape_table(const trainer::Architecture& architecture);

}  // namespace lockstep::pipeline
