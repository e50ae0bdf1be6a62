#pragma once

// Layer normalization [1]: of the channels of each pixel, or of all features of a vector.
//
//   mean = sum(x) / C, variance = sum((x - mean)^2) / C                 over the C channels
//   y = gamma (x - mean) inv_std + beta,  inv_std = 1 / sqrt(variance + epsilon)
//   dx = inv_std (g - sum(g) / C - u sum(g u) / C),  g = gamma dy, u = (x - mean) inv_std
//
// Sums over channels run in float32, of deviations from a first mean; those over pixels, of gamma's
// and beta's gradients, in double from a run of pixels on (channel_sums-inl.hpp).
//
// [1] J. Ba, J. Kiros, G. Hinton: Layer normalization. 2016. arXiv:1607.06450

#include <span>
#include <vector>

#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// One value a padded channel. Zero where there is padding, all three.
struct LayerNormValues {
    int channels;       // C, without padding, also that of a vector that was images
    const float* mask;  // channel_mask()
    const float* gamma;
    const float* beta;
};

// The mean and the inverse deviation of each pixel.
struct PixelMoments {
    float mean, inv_std;
};

//   moments   [samples, pixels], out
//   y         may be x
void layer_norm_forward(const Layout& layout, const float* x, const LayerNormValues& values,
                        double epsilon, float* y, PixelMoments* moments, int samples);
//   diff_x   may be diff_y
void layer_norm_backward(const Layout& layout, const float* x, const float* diff_y,
                         const LayerNormValues& values, const PixelMoments* moments, float* diff_x,
                         int samples);
// sum(dy) and sum(dy u) over pixels and samples, by padded channel.
void layer_norm_gradient_sums(const Layout& layout, const float* x, const float* diff_y,
                              const PixelMoments* moments, int samples, std::span<double> sum,
                              std::span<double> product);

}  // namespace lockstep::trainer
