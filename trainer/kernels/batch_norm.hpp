#pragma once

// Batch normalization in pieces, so that statistics can be those of a batch over many ranks.
//
//   mean_c = sum(x) / n, variance_c = sum((x - mean)^2) / n          over samples and pixels
//   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
//   dx = gamma inv_std (dy - sum(dy)/n - (x - mean) inv_std^2 sum(dy (x - mean))/n)
//
// A shard's sums are computed alone; the shards' moments are then combined in shard order [1].
// Sums run in float32 over a few pixels at a time and in double from there on; deviations are taken
// from the mean of a few pixels first, so that moments need one pass.
//
// [1] T. Chan, G. Golub, R. LeVeque: Algorithms for computing the sample variance. The American
//     Statistician 37(3):242-247, 1983. doi:10.1080/00031305.1983.10483115

#include <cstdint>
#include <span>

#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// Everything below has one value a padded channel.

// mean and sum of squared deviations from it, of one shard (samples >= 1).
void batch_norm_moments(const Layout& layout, const float* x, int samples, std::span<double> mean,
                        std::span<double> squares);

// y = x * scale + shift
void batch_norm_apply(const Layout& layout, const float* x, std::span<const float> scale,
                      std::span<const float> shift, float* y, int samples);

// sum(dy) and sum(dy (x - mean)) of one shard.
void batch_norm_gradient_sums(const Layout& layout, const float* x, const float* diff_y,
                              std::span<const float> mean, int samples, std::span<double> sum,
                              std::span<double> product);

struct BatchNormGradient {
    std::span<const float> mean;
    std::span<const float> scale;          // gamma inv_std
    std::span<const float> sum_share;      // sum(dy) / n
    std::span<const float> product_share;  // inv_std^2 sum(dy (x - mean)) / n
};
// dx. src_is_relu: x was made by a ReLU, whose gradient is applied on the way. diff_x may be x
// or diff_y.
void batch_norm_backward(const Layout& layout, const float* x, const float* diff_y,
                         const BatchNormGradient& gradient, bool src_is_relu, float* diff_x,
                         int samples);

}  // namespace lockstep::trainer
