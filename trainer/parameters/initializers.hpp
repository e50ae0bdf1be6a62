#pragma once

// Keras' initial weights, drawn by counters: a weight is a pure function of (seed, layer, tensor,
// element).
//
//   glorot [1]: variance 2 / (fan_in + fan_out)      he [2]: variance 2 / fan_in
//   uniform on [-l, l] with l = sqrt(3 variance); normal truncated at two deviations, with the
//   deviation corrected for the truncation, as Keras' VarianceScaling does.
//
// [1] X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural
//     networks. AISTATS 2010.
// [2] K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers. ICCV 2015. arXiv:1502.01852

#include <cstdint>
#include <span>

#include "trainer/config/architecture.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::trainer {

// The values of a kernel of Keras' shape [..., in, out], row-major.
//   layer, tensor   numbers that tell the kernels of one network apart
std::vector<float> initial_kernel(Initializer initializer, std::span<const std::int64_t> shape,
                                  std::uint64_t seed, std::uint32_t layer, std::uint32_t tensor);

// All tensors of a network before training: kernels drawn, gamma and moving variance one, all else
// zero.
NamedTensors initial_weights(std::span<const LayerConfig> layers, const Architecture& architecture,
                             std::uint64_t seed);

}  // namespace lockstep::trainer
