#pragma once

// What the two calls of first_convolution.cpp read and write beside src: first_convolution.hpp has
// the layouts.

#include "trainer/kernels/first/first_convolution.hpp"

namespace lockstep::trainer {

struct FirstOutputs {
    const float* weights;
    const float* bias;
    bool has_relu;
    float* dst;
    PooledPlace* places;  // null: not pooled
};

struct FirstGradients {
    const float* diff_dst;
    const float* relu_dst;      // null: diff_dst has passed ReLU
    const PooledPlace* places;  // null: not pooled
    float* diff_weights;
    float* diff_bias;
};

}  // namespace lockstep::trainer
