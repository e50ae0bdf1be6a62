#pragma once

// Activations by their definitions, in double.

#include <array>

#include "trainer/config/layer_config.hpp"

namespace lockstep::tests {

// Those that are computed value by value and by no kernel of another layer.
inline constexpr std::array kElementwiseActivations{
    trainer::Activation::relu6,   trainer::Activation::leaky_relu, trainer::Activation::elu,
    trainer::Activation::gelu,    trainer::Activation::silu,       trainer::Activation::tanh,
    trainer::Activation::sigmoid, trainer::Activation::hard_swish};

// Of one value; all but softmax, which is of a row: std::invalid_argument.
double plain_activation(trainer::Activation activation, double x);

}  // namespace lockstep::tests
