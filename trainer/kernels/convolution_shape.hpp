#pragma once

// What a convolution is, whichever kernels compute it.

#include <array>

#include "trainer/config/shape.hpp"

namespace lockstep::trainer {

enum class ConvolutionAlgorithm {
    direct,          // oneDNN's
    own_if_it_fits,  // our own where takes_winograd() or faster_passes(), else direct
};

struct ConvolutionShape {
    Shape src;
    Shape dst;
    std::array<int, 2> kernel_size{};
    std::array<int, 2> strides{};
    std::array<int, 2> pad_before{};  // top, left
    std::array<int, 2> pad_after{};   // bottom, right
    // Pixels from one tap to the next; where one is above 1, all strides are 1.
    std::array<int, 2> dilation_rate{1, 1};
    // Divides the channels of both sides: group g of dst reads group g of src alone.
    int groups = 1;
    bool has_relu = false;
    ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::own_if_it_fits;

    // Each channel by itself.
    bool is_depthwise() const {
        return groups > 1 && groups == src.channels && groups == dst.channels;
    }
    // What the kernels of our own for whole filters compute.
    bool is_plain() const { return groups == 1 && dilation_rate == std::array{1, 1}; }
};

}  // namespace lockstep::trainer
