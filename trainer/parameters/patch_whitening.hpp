#pragma once

// A convolution's kernel made of the training images: what it makes of their patches is white, that
// is uncorrelated and of one size. As [1] and [2] begin their networks.
//
// With M = the mean of x x^T over all patches x (stride 1, "valid", of the scaled pixels, no mean
// taken off) of the first `images` training images, and its eigenvalues l_1 >= l_2 >= ... and
// eigenvectors v_i: filter i is v_i / sqrt(l_i + epsilon), filter n + i its negative, for patches
// of n values.
//
// Pixels are bytes and their products are summed as whole numbers, so no order is in the bits; what
// follows is symmetric_eigen().
//
// [1] K. Jordan: 94% on CIFAR-10 in 3.29 seconds on a single GPU. 2024. arXiv:2404.00498, section 3
// [2] D. Page: How to train your ResNet, part 8. 2019.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/config/layer_config.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

// The kernel, [height, width, channels, 2 x height x width x channels].
//   initializer   its images, of which at least one, and epsilon
//   training      at least one image, of shape `image`, in the order of the data set
//   kernel_size   [height, width], no larger than the images
std::vector<float> patch_whitening_kernel(const InitializerConfig& initializer,
                                          const SampleSet& training, const PixelScale& scale,
                                          const Shape& image, std::array<int, 2> kernel_size);

}  // namespace lockstep::trainer
