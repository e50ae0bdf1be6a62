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
    bool has_relu = false;
    ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::own_if_it_fits;
};

}  // namespace lockstep::trainer
