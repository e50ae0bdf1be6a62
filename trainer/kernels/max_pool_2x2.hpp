#pragma once

// Max pooling over 2 x 2 windows side by side, with what stands around it in a network: batch
// normalization and dropout of the trained layer, the gradient of a ReLU in front. One pass over
// memory, in which nothing of the larger image's size is written but diff_x.
//
//   y = dropout(max over a window of (x scale + shift))
//
// Values, ties and NaN are those of batch_norm_apply(), max_pooling_forward() and
// dropout_forward() one after another. A last row or column of an odd size belongs to no window;
// its gradient is that of no y.

#include <cstdint>
#include <span>

#include "trainer/kernels/batch_norm.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/kernels/pooling.hpp"

namespace lockstep::trainer {

// Whether a pool is one of these.
bool is_max_pool_2x2(const PoolingShape& shape);

// Where the gradient of an element of y goes: to a place 0..3 of its window, row by row, or
// nowhere, since the element was dropped or a ReLU was off.
using PoolRoute = std::uint8_t;
inline constexpr PoolRoute kNoRoute = 4;

struct Pooled {
    float* y;
    PoolRoute* routes;                  // shape of y; null: not wanted, where nothing is dropped
    const DropoutDraw* draw = nullptr;  // of the first sample; the others follow by counter[2].
                                        // Null: nothing is dropped
};

struct PooledGradient {
    const float* diff_y;
    const PoolRoute* routes;
    float dropout_scale = 1.0F;  // DropoutDraw::scale
};

// Without batch normalization. src_is_relu: x was made by a ReLU; routes then end where it was off.
void max_pool_2x2_forward(const PoolingShape& shape, const float* x, bool src_is_relu,
                          const Pooled& pooled, int samples);
void max_pool_2x2_backward(const PoolingShape& shape, const PooledGradient& pooled, float* diff_x,
                           int samples);

// With batch normalization; scale and shift have one value a padded channel.
void batch_norm_max_pool_2x2_forward(const PoolingShape& shape, const float* x,
                                     std::span<const float> scale, std::span<const float> shift,
                                     const Pooled& pooled, int samples);
// batch_norm_gradient_sums() and batch_norm_backward(), where the gradient of the normalized image
// is what the routes lead to it, zero elsewhere.
void batch_norm_max_pool_2x2_gradient_sums(const PoolingShape& shape, const float* x,
                                           const PooledGradient& pooled,
                                           std::span<const float> mean, int samples,
                                           std::span<double> sum, std::span<double> product);
// diff_x may be x.
void batch_norm_max_pool_2x2_backward(const PoolingShape& shape, const float* x,
                                      const PooledGradient& pooled,
                                      const BatchNormGradient& gradient, bool src_is_relu,
                                      float* diff_x, int samples);

}  // namespace lockstep::trainer
