// Copies of an image's planes as the kernels of first_convolution.cpp read them. Included once for
// each instruction set, hence no #pragma once.

#if defined(LOCKSTEP_FIRST_PLANES) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_FIRST_PLANES
#undef LOCKSTEP_FIRST_PLANES
#else
#define LOCKSTEP_FIRST_PLANES
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/first/first_convolution.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

constexpr std::size_t size(int value) { return static_cast<std::size_t>(value); }

// Rows are short: a call of memmove() costs more than the copy.
HWY_INLINE HWY_ATTR void copy_row(const float* HWY_RESTRICT from, std::size_t count,
                                  float* HWY_RESTRICT to) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
    for (; i < count; ++i) to[i] = from[i];
}

// The planes of image after image: src itself, or a copy between zeros.
class PaddedPlanes {
public:
    // memory: planes.floats() of it, used where planes are copied
    PaddedPlanes(const FirstConvolutionShape& shape, const FirstConvolution::Planes& planes,
                 const float* src, float* memory)
        : s_(shape), planes_(planes), src_(src), memory_(memory) {
        if (planes.are_copied) std::fill_n(memory, planes.floats(s_.src_channels), 0.0F);
    }

    // Valid until the next call.
    HWY_ATTR const float* of(int image) const {
        const float* from =
            src_ + size(image) * size(s_.src_channels) * size(s_.src_height) * size(s_.src_width);
        if (!planes_.are_copied) return from;
        const int height = std::min(s_.src_height, planes_.height - s_.pad_top);
        const int width = std::min(s_.src_width, planes_.width - s_.pad_left);
        for (int c = 0; c < s_.src_channels; ++c)
            for (int y = 0; y < height; ++y)
                copy_row(from + size(c * s_.src_height + y) * size(s_.src_width), size(width),
                         memory_ + size(c * planes_.height + y + s_.pad_top) * size(planes_.width) +
                             size(s_.pad_left));
        return memory_;
    }

private:
    const FirstConvolutionShape& s_;
    const FirstConvolution::Planes& planes_;
    const float* src_;
    float* memory_;
};

// pairs[i] = (planes[i], planes[i + width]), a pixel and the one below: the four pixels of a window
// of 2 x 2 follow each other, column by column. The last row of a plane means nothing.
HWY_ATTR inline void pair_rows(const float* HWY_RESTRICT planes, std::size_t floats,
                               std::size_t width, float* HWY_RESTRICT pairs) {
    const D d;
    const std::size_t lanes = hn::Lanes(d), end = floats - width;
    std::size_t i = 0;
    for (; i + lanes <= end; i += lanes)
        hn::StoreInterleaved2(hn::LoadU(d, planes + i), hn::LoadU(d, planes + i + width), d,
                              pairs + 2 * i);
    for (; i < end; ++i) {
        pairs[2 * i] = planes[i];
        pairs[2 * i + 1] = planes[i + width];
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
