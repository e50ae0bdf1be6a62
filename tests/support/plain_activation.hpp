#pragma once

// Activations by their definitions, in double.

#include "trainer/config/layer_config.hpp"

namespace lockstep::tests {

// Of one value; all but softmax, which is of a row: std::invalid_argument.
double plain_activation(trainer::Activation activation, double x);

}  // namespace lockstep::tests
