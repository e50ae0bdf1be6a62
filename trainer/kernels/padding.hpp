#pragma once

// Where a layout's padding lies: channels that fill up blocks, and what a flatten of such images
// left between features. Passes that make something of zeros clear it again.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

class PaddingPlaces {
public:
    explicit PaddingPlaces(const Layout& layout);

    bool is_empty() const { return positions_.empty(); }
    // Zero from now on, in each of `samples` samples.
    void clear(float* values, int samples) const;

private:
    std::vector<std::uint32_t> positions_;  // in a sample
    std::size_t sample_size_;
};

// One value a padded channel: 1 for channels, 0 for padding.
std::vector<float> channel_mask(const Layout& layout);

}  // namespace lockstep::trainer
