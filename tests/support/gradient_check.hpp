#pragma once

// Gradients against central finite differences.
//
// The differences are taken of a plain-loop forward pass in double, so they are good to about ten
// digits and the tolerance can be that of the float32 gradient under test.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tests/support/plain_network.hpp"

namespace lockstep::tests {

// (f(x + step) - f(x - step)) / (2 step) in the coordinate `index`; x is left as it was.
double central_difference(Values& x, std::size_t index, const std::function<double()>& f,
                          double step = 1e-5);

// Numbers below `size`, both ends among them, spread over all remainders; all where size is small.
std::vector<std::size_t> spread_indices(std::size_t size, std::size_t count);

// Checks d f / d x at some 40 coordinates.
//   gradient    what the trainer says, as long as x
//   x           variable that f reads
//   tolerance   of the largest error, relative to the root mean square of the differences
void check_gradient(const std::string& name, std::span<const float> gradient, Values& x,
                    const std::function<double()>& f, double tolerance);

// Checks that values are those expected, the largest error relative to the expected ones' root
// mean square.
void check_close(const std::string& name, std::span<const float> values,
                 std::span<const double> expected, double tolerance);

}  // namespace lockstep::tests
