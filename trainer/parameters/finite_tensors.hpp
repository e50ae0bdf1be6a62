#pragma once

// Weights are numbers: a NaN in front of a ReLU would train on in silence, since max(NaN, 0) is 0.

#include <string>

#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::trainer {

// The first value that is NaN or infinite, in words: "conv2d/kernel holds nan (value 17 of 864)".
// Empty where all are finite.
std::string non_finite_value(const NamedTensors& tensors);

// Throws WeightsError if a value is NaN or infinite. `origin` is where they come from, in words.
void require_finite(const NamedTensors& tensors, const std::string& origin);

}  // namespace lockstep::trainer
