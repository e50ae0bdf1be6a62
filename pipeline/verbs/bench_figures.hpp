#pragma once

#include <cmath>

namespace lockstep::pipeline {

// No more digits than a measurement has: to a whole number of 1 / `parts`.
inline double rounded(double value, double parts) { return std::round(value * parts) / parts; }

}  // namespace lockstep::pipeline
