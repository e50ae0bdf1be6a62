#pragma once

// Keras' initial weights, drawn by counters: a weight is a pure function of (seed, layer, tensor,
// element), an orthogonal kernel one of (seed, layer, tensor).
//
//   glorot [1]: variance 2 / (fan_in + fan_out)      he [2]: 2 / fan_in      lecun [3]: 1 / fan_in
//   uniform on [-l, l] with l = sqrt(3 variance); normal truncated at two deviations, with the
//   deviation corrected for the truncation, as Keras' VarianceScaling does.
//   truncated_normal: at two deviations, without such a correction, as Keras' TruncatedNormal.
//   orthogonal [4]: all axes but the last one are the rows of a matrix; the shorter side's vectors
//   are orthonormal, times the gain.
//   dirac [5], of a convolution: filter i < in hands channel i on, by a one at the kernel's middle;
//   others are uniform on [-l, l] with l = 1 / sqrt(fan_in), as PyTorch draws its convolutions.
//   patch_whitening is made of the training images (patch_whitening.hpp).
//
// [1] X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural
//     networks. AISTATS 2010.
// [2] K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers. ICCV 2015. arXiv:1502.01852
// [3] Y. LeCun, L. Bottou, G. Orr, K.-R. Mueller: Efficient backprop. Neural Networks: Tricks of
//     the Trade, 1998. doi:10.1007/3-540-49430-8_2
// [4] A. Saxe, J. McClelland, S. Ganguli: Exact solutions to the nonlinear dynamics of learning in
//     deep linear neural networks. ICLR 2014. arXiv:1312.6120
// [5] S. Zagoruyko, N. Komodakis: DiracNets. 2017. arXiv:1706.00388

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::trainer {

// The values of a tensor, row-major; of a kernel, of Keras' shape [..., in, out].
//   shape           one that the initializer takes: infer_shapes() sees to it
//   layer, tensor   numbers that tell the tensors of one network apart
std::vector<float> initial_values(const InitializerConfig& initializer,
                                  std::span<const std::int64_t> shape, std::uint64_t seed,
                                  std::uint32_t layer, std::uint32_t tensor);

// All tensors of a network before training; what is made of the training images is zero.
NamedTensors initial_weights(const Architecture& architecture, std::uint64_t seed);
// With what is made of the training images.
NamedTensors initial_weights(const Architecture& architecture, std::uint64_t seed,
                             const RunData& data);

}  // namespace lockstep::trainer
