#include "tests/support/plain_activation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace lockstep::tests {

using namespace lockstep::trainer;

double plain_activation(Activation activation, double x) {
    const double sigmoid = 1.0 / (1.0 + std::exp(-x));
    switch (activation) {
        case Activation::relu:
            return std::max(x, 0.0);
        case Activation::relu6:
            return std::clamp(x, 0.0, 6.0);
        case Activation::leaky_relu:
            return x > 0.0 ? x : 0.2 * x;
        case Activation::elu:
            return x > 0.0 ? x : std::expm1(x);
        case Activation::gelu:
            return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
        case Activation::silu:
            return x * sigmoid;
        case Activation::tanh:
            return std::tanh(x);
        case Activation::sigmoid:
            return sigmoid;
        case Activation::hard_swish:
            return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
        case Activation::linear:
            return x;
        case Activation::softmax:
            break;
    }
    throw std::invalid_argument("softmax is of rows");
}

}  // namespace lockstep::tests
