#pragma once

// Small kernels over flat arrays.

#include <cstddef>
#include <cstdint>

#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

// y = max(x, 0); y may be x.
void relu_forward(const float* x, float* y, std::size_t count);
// diff_src = relu_dst > 0 ? diff_dst : 0: ReLU's gradient, zero at zero. Null: no ReLU, a copy.
// diff_src may be diff_dst.
void relu_gradient(const float* relu_dst, const float* diff_dst, float* diff_src,
                   std::size_t count);
// The same in place.
void relu_backward(const float* relu_dst, float* diff, std::size_t count);

// dst = a + b, and its ReLU; dst may be one of them.
void add_forward(const float* a, const float* b, bool has_relu, float* dst, std::size_t count);
// dst = a x b; dst may be one of them.
void multiply(const float* a, const float* b, float* dst, std::size_t count);
// y = x scale + offset, rounded twice; y may be x.
void rescale(const float* x, float scale, float offset, float* y, std::size_t count);
// sum += part.
void add_to(float* sum, const float* part, std::size_t count);

// value = (pixel - offset) / divisor, in float32.
void scale_pixels(const std::uint8_t* pixels, float offset, float divisor, float* values,
                  std::size_t count);

// True if every value is finite.
bool all_finite(const float* values, std::size_t count);

// Inverted dropout of one sample: dst = is_kept ? src x scale : 0.
//
// Element i of the sample is kept where its 16 random bits are >= threshold. They are draw
// (i / 16) % 8 of the Philox words at counter {counter[0..2], i / 128 * 16 + i % 16}: half a word
// each, low halves first. So a draw depends on where the element stands, on nothing else.
struct DropoutDraw {
    RandomKey key;
    std::uint32_t counter[3];
    std::uint32_t threshold;  // rate x 65536
    float scale;              // 1 / (1 - rate)
};
// kept: ceil(count / 128) x kDropoutMaskBytes bytes; out: which elements were kept.
inline constexpr std::size_t kDropoutRun = 128;  // elements
inline constexpr std::size_t kDropoutMaskBytes = 128;
void dropout_forward(const DropoutDraw& draw, const float* src, float* dst, std::uint8_t* kept,
                     std::size_t count);
void dropout_backward(const std::uint8_t* kept, float scale, const float* diff_dst, float* diff_src,
                      std::size_t count);

}  // namespace lockstep::trainer
