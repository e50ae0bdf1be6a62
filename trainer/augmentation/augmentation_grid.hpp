#pragma once

// Training images and what changes make of them, as one picture.

#include <cstdint>
#include <vector>

#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

struct AugmentationGrid {
    int width = 0, height = 0;
    std::vector<std::uint8_t> pixels;  // [height][width][red, green, blue]
};

// A row an image, the first `images` of the samples: as it is, then as epochs 1 to `epochs` see it.
// Images of one channel are grey; of more than three the first three are shown. There is at least
// one change.
AugmentationGrid augmentation_grid(const SampleSet& samples, const Shape& shape,
                                   std::span<const AugmentationConfig> changes, std::uint64_t seed,
                                   int images, int epochs);

}  // namespace lockstep::trainer
