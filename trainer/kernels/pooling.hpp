#pragma once

// Max and average pooling over any window, on blocked layouts. Vectors run over channels.
//
// Semantics are Keras': windows are clipped at the padding (an average divides by the pixels that
// are there); a maximum's gradient goes to its first place in row-major order.

#include <array>
#include <cstdint>

#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

struct PoolingShape {
    Layout src;
    Layout dst;                      // same channels and block as src
    std::array<int, 2> pool_size{};  // clipped at the borders, at most kMostPlaces pixels
    std::array<int, 2> strides{};
    std::array<int, 2> pad_before{};
};

// The number of a pixel in a window as it is clipped at the borders, row by row from 0.
using PlaceInWindow = std::uint16_t;

// places: shape of dst, the maximum's place in its window, for the backward pass.
void max_pooling_forward(const PoolingShape& shape, const float* src, float* dst,
                         PlaceInWindow* places, int samples);
// relu_src: where src was made by a ReLU, its values: its gradient is then applied on the way
// (zero where src is zero). Null: no ReLU.
void max_pooling_backward(const PoolingShape& shape, const float* diff_dst,
                          const PlaceInWindow* places, const float* relu_src, float* diff_src,
                          int samples);

void average_pooling_forward(const PoolingShape& shape, const float* src, float* dst, int samples);
void average_pooling_backward(const PoolingShape& shape, const float* diff_dst, float* diff_src,
                              int samples);

}  // namespace lockstep::trainer
