#pragma once

#include "tests/support/layer_probe.hpp"

namespace lockstep::tests {

// Gives a layer's parameters random values: gamma and moving variance about one, all else about
// zero.
void randomize_parameters(trainer::Network& network, std::uint64_t seed);

// Checks one layer on random input: its forward pass against the plain loop in double, and its
// gradients by input and by every parameter against finite differences of that loop.
void check_layer(const LayerProbeSetting& setting);

}  // namespace lockstep::tests
