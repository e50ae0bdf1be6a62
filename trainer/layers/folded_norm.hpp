#pragma once

// In evaluation a batch normalization is y = x scale + shift, by channel, with what the moving
// statistics say. A convolution right in front of it can have that in its weights and bias, and
// then also a ReLU behind.

#include <cstddef>
#include <optional>

namespace lockstep::trainer {

// The tensors of one normalization in the network's parameters. No gamma is one of ones, no beta
// one of zeros.
struct BatchNormTensors {
    std::optional<std::size_t> gamma, beta;
    std::size_t moving_mean = 0, moving_variance = 0;
};

struct MovingNorm {
    BatchNormTensors tensors;
    double epsilon;
};

// What a layer computes along with itself: the layers behind it.
struct FoldedNorm {
    MovingNorm norm;
    bool has_relu;
};

}  // namespace lockstep::trainer
