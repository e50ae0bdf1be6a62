#pragma once

// What a convolution is, and the memory it works on, whichever kernels compute it.

#include <array>
#include <vector>

#include "trainer/config/shape.hpp"

namespace lockstep::trainer {

enum class ConvolutionAlgorithm {
    by_rule,  // Winograd where takes_winograd()
    direct,   // oneDNN's; to compare with
};

struct ConvolutionShape {
    Shape src;
    Shape dst;
    std::array<int, 2> kernel_size{};
    std::array<int, 2> strides{};
    std::array<int, 2> pad_before{};  // top, left
    std::array<int, 2> pad_after{};   // bottom, right
    bool has_relu = false;
    bool needs_diff_src = true;  // some layer in front is trained
    ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::by_rule;
};

struct ConvolutionBuffers {
    const float* src = nullptr;      // in format.src()
    const float* weights = nullptr;  // as kernel_format() packs them
    const float* bias = nullptr;
    float* dst = nullptr;
    // training only
    const float* diff_dst = nullptr;   // with ReLU's gradient already applied
    float* diff_src = nullptr;         // null: not wanted (first layer)
    std::vector<float*> diff_weights;  // one a shard, written
    std::vector<float*> diff_bias;
};

}  // namespace lockstep::trainer
