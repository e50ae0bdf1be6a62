#pragma once

#include <cstdint>
#include <span>

#include "trainer/data/dataset.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// Writes samples as a network's input: bytes to scaled float32, in one pass.
//   which    numbers into samples.indices, one a sample
//   input    shape [which.size()], in `layout`
void write_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                 const PixelScale& scale, const Layout& layout, float* input);

}  // namespace lockstep::trainer
