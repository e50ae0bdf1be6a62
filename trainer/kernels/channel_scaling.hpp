#pragma once

// Weights times a factor for each output channel, in whatever order a kernel has them lie.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

class ChannelScaling {
public:
    //   format     of a kernel whose last dimension in Keras are its output channels
    //   keras      floats of the kernel in Keras' layout
    //   channels   output channels, without padding
    //   block      channels that a kernel of vectors takes together
    ChannelScaling(const ParameterFormat& format, std::size_t keras, std::size_t channels,
                   std::size_t block);

    // scaled = weights * factors, by channel. Padding has to be zero, and stays so.
    //   factors   one a channel, as padded to whole blocks
    void scale(const float* weights, std::span<const float> factors, float* scaled) const;

private:
    // `run` weights in a row are of channels that follow each other, from the one listed.
    std::size_t run_;
    std::vector<std::uint32_t> first_channels_;
};

}  // namespace lockstep::trainer
