#pragma once

// Activations element by element, and their gradients, as Keras 3 defines them:
//
//   relu6       min(max(x, 0), 6)               tanh        (e^2x - 1) / (e^2x + 1)
//   leaky_relu  x > 0 ? x : 0.2 x               sigmoid     1 / (1 + e^-x)
//   elu         x > 0 ? x : e^x - 1             silu        x sigmoid(x)
//   gelu        x P(x), P the normal            hard_swish  x min(max(x + 3, 0), 6) / 6
//               distribution's function [1]
//
// Values are within 2e-7 of these, relative to the larger of 1 and |x|; NaN stays NaN. Where two
// slopes meet, the gradient is that of the flat side.
//
// [1] P(-z) = e^(-z^2 / 2) erfcx(z / sqrt 2) / 2 for z >= 0. erfcx(u) = e^(u^2) erfc(u) is t Q(t),
//     t = 1 / (1 + 0.3 u), with a polynomial Q of degree 8 that is erfcx(u) / t at Chebyshev's nine
//     points of t for 0 <= u <= 9.3: off by 2.4e-8 at most, relatively.

#include <cstddef>

#include "trainer/config/layer_config.hpp"

namespace lockstep::trainer {

// Whether there is such a pass: for all but linear, relu (elementwise.hpp) and softmax.
bool is_elementwise(Activation activation);
// The gradient follows from the output alone; else the input has to be kept for it.
bool has_gradient_of_output(Activation activation);
// Where x is zero, y is.
bool keeps_zeros(Activation activation);

// Of such that are is_elementwise(). A value's bits depend on it alone, not on its place.
//   y   may be x
void activation_forward(Activation activation, const float* x, float* y, std::size_t count);
//   kept       the output, if the activation has_gradient_of_output(), else the input
//   diff_src   may be diff_dst
void activation_gradient(Activation activation, const float* kept, const float* diff_dst,
                         float* diff_src, std::size_t count);

}  // namespace lockstep::trainer
