#pragma once

#include <cstdint>
#include <span>

#include "trainer/data/dataset.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// Writes one image, in planes, as a network's input. Bytes and values: as PixelScale says, in
// float32.
void write_image(const std::uint8_t* pixels, const PixelScale& scale, const Layout& layout,
                 float* input);
void write_image(const float* pixels, const PixelScale& scale, const Layout& layout, float* input);

// Writes samples as a network's input: bytes to scaled float32, in one pass.
//   which    numbers into samples.indices, one a sample
//   input    shape [which.size()], in `layout`
void write_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                 const PixelScale& scale, const Layout& layout, float* input);

}  // namespace lockstep::trainer
