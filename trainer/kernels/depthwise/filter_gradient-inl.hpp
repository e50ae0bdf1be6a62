// The gradients of a depthwise convolution's filter and bias, of one block of channels: sums over
// the pixels of an image, then over the images. Included once for each instruction set, inside of a
// file that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_DEPTHWISE_FILTER_GRADIENT) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DEPTHWISE_FILTER_GRADIENT
#undef LOCKSTEP_DEPTHWISE_FILTER_GRADIENT
#else
#define LOCKSTEP_DEPTHWISE_FILTER_GRADIENT
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "trainer/kernels/depthwise/correlation-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Images go into one sum in float32 up to about so many pixels: long sums round more.
inline constexpr int kPixelsOfSum = 256;

template <class D>
struct ThreeByThree {
    hn::Vec<D> taps[9], bias;

    HWY_ATTR HWY_INLINE explicit ThreeByThree(D d) : bias(hn::Zero(d)) {
        for (auto& tap : taps) tap = hn::Zero(d);
    }
    HWY_ATTR HWY_INLINE void add(D, const ThreeByThree& other) {
        for (int t = 0; t < 9; ++t) taps[t] = hn::Add(taps[t], other.taps[t]);
        bias = hn::Add(bias, other.bias);
    }
};

// A block is one vector. Adds one row of outputs to the sums of tap rows [kFirst, kLast), those
// that lie in the image.
//   src   pixel (row 0 of the window, column 0 of the image)
template <int kFirst, int kLast, class D>
HWY_ATTR HWY_INLINE void add_row_of_three(D d, const Correlation& c, const float* HWY_RESTRICT src,
                                          const float* HWY_RESTRICT diff, ThreeByThree<D>& sums) {
    constexpr std::ptrdiff_t kBlock = hn::MaxLanes(D());
    const std::ptrdiff_t row = c.columns.src * kBlock;
    hn::Vec<D> taps[9], bias = sums.bias;
#pragma GCC unroll 9
    for (int t = 0; t < 9; ++t) taps[t] = sums.taps[t];
    const auto add = [&](int x, auto is_inside) HWY_ATTR {
        const auto gradient = hn::LoadU(d, diff + x * kBlock);
        const int first = c.columns.begin(x);
        bias = hn::Add(bias, gradient);
#pragma GCC unroll 3
        for (int j = 0; j < 3; ++j) {
            if (!is_inside() && (first + j < 0 || first + j >= c.columns.src)) continue;
            const float* HWY_RESTRICT pixel = src + (first + j) * kBlock;
#pragma GCC unroll 3
            for (int i = kFirst; i < kLast; ++i)
                taps[3 * i + j] =
                    hn::MulAdd(hn::LoadU(d, pixel + i * row), gradient, taps[3 * i + j]);
        }
    };
    const int first_full = c.columns.first_full(), last_full = c.columns.last_full();
    int x = 0;
    for (; x < first_full; ++x) add(x, std::false_type());
    for (; x < last_full; ++x) add(x, std::true_type());
    for (; x < c.columns.dst; ++x) add(x, std::false_type());
#pragma GCC unroll 9
    for (int t = 0; t < 9; ++t) sums.taps[t] = taps[t];
    sums.bias = bias;
}

template <class D>
HWY_ATTR HWY_INLINE void add_image_of_three(D d, const Correlation& c, const float* src,
                                            const float* diff, ThreeByThree<D>& sums) {
    const std::ptrdiff_t src_row = c.columns.src * c.block, dst_row = c.columns.dst * c.block;
    for (int y = 0; y < c.rows.dst; ++y, diff += dst_row) {
        const int begin = c.rows.begin(y);
        const int first = c.rows.first_tap(begin), last = c.rows.last_tap(begin);
        const float* row = src + begin * src_row;
        if (first == 0 && last == 3)
            add_row_of_three<0, 3>(d, c, row, diff, sums);
        else if (first == 0 && last == 2)
            add_row_of_three<0, 2>(d, c, row, diff, sums);
        else if (first == 0)
            add_row_of_three<0, 1>(d, c, row, diff, sums);
        else if (first == 1 && last == 3)
            add_row_of_three<1, 3>(d, c, row, diff, sums);
        else if (first == 1)
            add_row_of_three<1, 2>(d, c, row, diff, sums);
        else
            add_row_of_three<2, 3>(d, c, row, diff, sums);
    }
}

// Of any kernel: the sum of one tap over a row of outputs, in four chains.
template <class D>
HWY_ATTR HWY_INLINE hn::Vec<D> sum_of_row(D d, int outputs, const float* HWY_RESTRICT src,
                                          std::ptrdiff_t step, const float* HWY_RESTRICT diff,
                                          std::ptrdiff_t block) {
    hn::Vec<D> sum[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) sum[i] = hn::Zero(d);
    int x = 0;
    for (; x + 4 <= outputs; x += 4)
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            sum[i] = hn::MulAdd(hn::LoadU(d, src + (x + i) * step),
                                hn::LoadU(d, diff + (x + i) * block), sum[i]);
    for (; x < outputs; ++x)
        sum[0] = hn::MulAdd(hn::LoadU(d, src + x * step), hn::LoadU(d, diff + x * block), sum[0]);
    return hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]));
}

// Outputs [first, last) whose tap lies inside, along one axis.
struct OutputsOfTap {
    int first, last;

    OutputsOfTap(const TapAxis& axis, int tap) {
        const int place = tap * axis.rate - axis.pad;  // of the tap in window 0
        first = place >= 0 ? 0 : std::min(axis.dst, (-place + axis.stride - 1) / axis.stride);
        const int room = axis.src - 1 - place;
        last = room < 0 ? first : std::clamp(room / axis.stride + 1, first, axis.dst);
    }
};

template <class D>
HWY_ATTR HWY_INLINE void add_image_of_any(D d, const Correlation& c, const float* src,
                                          const float* diff, float* sums) {
    const std::ptrdiff_t src_row = c.columns.src * c.block, dst_row = c.columns.dst * c.block;
    const std::ptrdiff_t step = c.columns.stride * c.block;
    for (int i = 0; i < c.rows.taps; ++i) {
        const OutputsOfTap rows(c.rows, i);
        for (int j = 0; j < c.columns.taps; ++j, sums += c.block) {
            const OutputsOfTap columns(c.columns, j);
            const int first = c.columns.begin(columns.first) + j * c.columns.rate;
            auto sum = hn::Zero(d);
            for (int y = rows.first; y < rows.last; ++y) {
                const float* row = src + (c.rows.begin(y) + i * c.rows.rate) * src_row;
                sum = hn::Add(
                    sum, sum_of_row(d, columns.last - columns.first, row + first * c.block, step,
                                    diff + y * dst_row + columns.first * c.block, c.block));
            }
            hn::StoreU(hn::Add(hn::LoadU(d, sums), sum), d, sums);
        }
    }
}

template <class D>
HWY_ATTR HWY_INLINE hn::Vec<D> sum_of_pixels(D d, int pixels, const float* HWY_RESTRICT diff,
                                             std::ptrdiff_t block) {
    auto sum = hn::Zero(d);
    for (int i = 0; i < pixels; ++i) sum = hn::Add(sum, hn::LoadU(d, diff + i * block));
    return sum;
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
