// Loops over 2 x 2 windows side by side. Included once for each instruction set, inside of a file
// that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_WINDOWS_2X2) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINDOWS_2X2
#undef LOCKSTEP_WINDOWS_2X2
#else
#define LOCKSTEP_WINDOWS_2X2
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "trainer/kernels/pooling.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Offsets of a vector of channels in a sample before pooling and behind it, and its first channel.
struct ChannelVector {
    std::ptrdiff_t src, dst;
    int channel;
};

// body(vector) for every vector of channels of one sample.
template <class D, class Body>
HWY_ATTR HWY_INLINE void for_each_pooled_vector(D d, const PoolingShape& s, Body body) {
    const int lanes = static_cast<int>(hn::Lanes(d)), block = s.src.block;
    for (int cb = 0; cb < s.src.channel_blocks(); ++cb)
        for (int v = 0; v < block; v += lanes)
            body(ChannelVector{std::ptrdiff_t{cb} * s.src.pixels() * block + v,
                               std::ptrdiff_t{cb} * s.dst.pixels() * block + v, cb * block + v});
}

// body(offset of the first window's first pixel, offset of the pooled row) for every row of
// windows.
template <class Body>
HWY_ATTR HWY_INLINE void for_each_window_row(const PoolingShape& s, Body body) {
    const std::ptrdiff_t block = s.src.block;
    const std::ptrdiff_t two_rows = 2 * s.src.width * block, pooled_row = s.dst.width * block;
    const int rows = s.dst.height;
    for (int oh = 0; oh < rows; ++oh) body(oh * two_rows, oh * pooled_row);
}

// body(offset) for every pixel in no window.
template <class Body>
HWY_ATTR HWY_INLINE void for_each_pixel_outside(const PoolingShape& s, Body body) {
    for (int h = 0; h < s.src.height; ++h) {
        const bool is_below = h >= 2 * s.dst.height;
        for (int w = is_below ? 0 : 2 * s.dst.width; w < s.src.width; ++w)
            body(std::ptrdiff_t{h * s.src.width + w} * s.src.block);
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
