#pragma once

// Parameters as they leave and enter the trainer: in Keras' layouts, under Keras' names.

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::trainer {

struct NamedTensor {
    std::string layer;                // conv2d_1
    std::string name;                 // kernel, bias, gamma, beta, moving_mean, moving_variance
    std::vector<std::int64_t> shape;  // row-major
    std::vector<float> values;

    bool operator==(const NamedTensor&) const = default;
};

// All tensors of a network, in the order of Keras' get_weights.
using NamedTensors = std::vector<NamedTensor>;

}  // namespace lockstep::trainer
