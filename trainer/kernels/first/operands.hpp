#pragma once

// What the two calls of first_convolution_pool.cpp read and write beside src:
// first_convolution_pool.hpp has the layouts.

#include "trainer/kernels/first/first_convolution_pool.hpp"

namespace lockstep::trainer {

struct FirstOutputs {
    const float* weights;
    const float* bias;
    float* dst;
    PooledPlace* places;
};

struct FirstGradients {
    const float* diff_dst;
    const PooledPlace* places;
    float* diff_weights;
    float* diff_bias;
};

}  // namespace lockstep::trainer
