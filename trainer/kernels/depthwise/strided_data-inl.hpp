// The gradient by the source of a depthwise convolution with strides, of one block of channels: for
// each pixel the sum over the windows that hold it. Included once for each instruction set, inside
// of a file that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_DEPTHWISE_STRIDED) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DEPTHWISE_STRIDED
#undef LOCKSTEP_DEPTHWISE_STRIDED
#else
#define LOCKSTEP_DEPTHWISE_STRIDED
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/depthwise/depthwise.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A pixel lies under tap `first` of window `window`, under tap first + stride of the one before,
// and so on, as far as there are taps and windows.
struct WindowsOfPixel {
    int tap, window;

    WindowsOfPixel(const DepthwiseShape& s, std::size_t axis, int pixel) {
        const int place = pixel + s.pad_before[axis];
        tap = place % s.strides[axis];
        window = place / s.strides[axis];
        const int windows = axis == 0 ? s.dst_height : s.dst_width;
        for (; window >= windows; --window) tap += s.strides[axis];
    }
};

template <class D>
HWY_ATTR HWY_INLINE void strided_pixel(D d, const DepthwiseShape& s, int y, int x,
                                       const float* HWY_RESTRICT diff_dst,
                                       const float* HWY_RESTRICT weights,
                                       float* HWY_RESTRICT diff_src) {
    const std::ptrdiff_t block = s.block;
    const WindowsOfPixel columns(s, 1, x);
    auto sum = hn::Zero(d);
    WindowsOfPixel rows(s, 0, y);
    for (; rows.tap < s.kernel_size[0] && rows.window >= 0; rows.tap += s.strides[0], --rows.window)
        for (int tap = columns.tap, window = columns.window; tap < s.kernel_size[1] && window >= 0;
             tap += s.strides[1], --window) {
            const auto weight = hn::LoadU(d, weights + (rows.tap * s.kernel_size[1] + tap) * block);
            const auto diff = hn::LoadU(d, diff_dst + (rows.window * s.dst_width + window) * block);
            sum = hn::MulAdd(diff, weight, sum);
        }
    hn::StoreU(sum, d, diff_src + (y * s.src_width + x) * block);
}

// Pairs of pixels at once below: the left one of each lies under the outer taps of
// two windows, the right one under the middle tap of the second.
inline constexpr int kPairs = 4;

// Pixels 2b - pad and the next, for kPairs numbers b from `first` on, from the top row to the last;
// 3 x 3 taps, strides of 2; a block is one vector.
template <class D>
HWY_ATTR HWY_NOINLINE void strip_of_pairs(D d, const DepthwiseShape& s, int first,
                                          const float* HWY_RESTRICT diff_dst,
                                          const float* HWY_RESTRICT weights,
                                          float* HWY_RESTRICT diff_src) {
    constexpr std::ptrdiff_t kBlock = hn::MaxLanes(D());
    const std::ptrdiff_t dst_row = s.dst_width * kBlock, src_row = s.src_width * kBlock;
    const int x = 2 * first - s.pad_before[1];
    const float* HWY_RESTRICT windows = diff_dst + (first - 1) * kBlock;
    float* HWY_RESTRICT pixels = diff_src + x * kBlock;
    for (int y = 0; y < s.src_height; ++y, pixels += src_row) {
        hn::Vec<D> left[kPairs], right[kPairs];
#pragma GCC unroll 4
        for (int n = 0; n < kPairs; ++n) left[n] = right[n] = hn::Zero(d);
        WindowsOfPixel rows(s, 0, y);
        for (; rows.tap < 3 && rows.window >= 0; rows.tap += 2, --rows.window) {
            const float* HWY_RESTRICT w = weights + 3 * rows.tap * kBlock;
            const auto w0 = hn::LoadU(d, w), w1 = hn::LoadU(d, w + kBlock),
                       w2 = hn::LoadU(d, w + 2 * kBlock);
            const float* HWY_RESTRICT row = windows + rows.window * dst_row;
#pragma GCC unroll 5
            for (int m = 0; m <= kPairs; ++m) {
                if (first - 1 + m < 0 || first - 1 + m >= s.dst_width) continue;
                const auto diff = hn::LoadU(d, row + m * kBlock);
                if (m < kPairs) left[m] = hn::MulAdd(diff, w2, left[m]);
                if (m > 0) {
                    left[m - 1] = hn::MulAdd(diff, w0, left[m - 1]);
                    right[m - 1] = hn::MulAdd(diff, w1, right[m - 1]);
                }
            }
        }
        const auto store = [&](int p, hn::Vec<D> sum) HWY_ATTR {
            if (x + p >= 0 && x + p < s.src_width) hn::StoreU(sum, d, pixels + p * kBlock);
        };
#pragma GCC unroll 4
        for (int n = 0; n < kPairs; ++n) {
            store(2 * n, left[n]);
            store(2 * n + 1, right[n]);
        }
    }
}

// One block of channels of one image.
template <class D>
HWY_ATTR HWY_INLINE void strided_data(D d, const DepthwiseShape& s, const float* diff_dst,
                                      const float* weights, float* diff_src) {
    const int lanes = static_cast<int>(hn::Lanes(d));
    if (s.kernel_size == std::array{3, 3} && s.strides == std::array{2, 2} && s.block == lanes) {
        for (int b = s.pad_before[1] / 2; 2 * b - s.pad_before[1] < s.src_width; b += kPairs)
            strip_of_pairs(d, s, b, diff_dst, weights, diff_src);
        return;
    }
    for (int y = 0; y < s.src_height; ++y)
        for (int v = 0; v < s.block; v += lanes)
            for (int x = 0; x < s.src_width; ++x)
                strided_pixel(d, s, y, x, diff_dst + v, weights + v, diff_src + v);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
