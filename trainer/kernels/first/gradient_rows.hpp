#pragma once

// A copy of an image's diff_dst for backward data: rows with columns of zeros on both sides, so
// that no window needs to know where a row ends.

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/first/first_convolution.hpp"

namespace lockstep::trainer {

// Pixels of the input's gradient that are summed up together, and whose results leave together.
inline constexpr int kPixelsOfSum = 4;

struct GradientRows {
    int left = 0;      // columns of zeros in front
    int columns = 0;   // of a row, with all zeros
    std::size_t sums;  // floats of a row of results

    explicit GradientRows(const FirstConvolutionShape& s)
        : left((s.kernel_width - 1) / s.stride_x) {
        // The last source pixel's first output, and what a tile takes in beyond it.
        const int last = (s.src_width - 1 + s.pad_left) / s.stride_x + kPixelsOfSum - 1;
        columns = left + std::max(s.dst_width, last + 1);
        sums = static_cast<std::size_t>((s.src_width + kPixelsOfSum - 1) / kPixelsOfSum) *
               kPixelsOfSum;
    }
    std::size_t floats(const FirstConvolutionShape& s) const {
        return static_cast<std::size_t>(s.dst_channels) * static_cast<std::size_t>(s.dst_height) *
               static_cast<std::size_t>(columns);
    }
};

}  // namespace lockstep::trainer
