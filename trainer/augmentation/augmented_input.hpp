#pragma once

#include <cstdint>
#include <span>

#include "trainer/augmentation/augmentation.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// As write_input(), with the images as `epoch` sees them.
//   mixes   [which.size()], out: what each was mixed with; or empty: not wanted
void write_augmented_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                           Augmentation& augmentation, int epoch, const PixelScale& scale,
                           const Layout& layout, float* input, std::span<Mix> mixes = {});

}  // namespace lockstep::trainer
