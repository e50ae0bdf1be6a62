// Sums over the taps of a window, of one block of channels: forward, and the gradient by the source
// where strides are 1, which is the same with the taps in reverse. Included once for each
// instruction set, inside of a file that <hwy/foreach_target.h> includes again and again, hence no
// #pragma once.

#if defined(LOCKSTEP_DEPTHWISE_CORRELATION) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DEPTHWISE_CORRELATION
#undef LOCKSTEP_DEPTHWISE_CORRELATION
#else
#define LOCKSTEP_DEPTHWISE_CORRELATION
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "trainer/kernels/depthwise/depthwise.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One axis of a correlation: window number `at` begins at pixel at * stride - pad.
struct TapAxis {
    int src, dst, taps, stride, rate, pad;

    int begin(int at) const { return at * stride - pad; }
    // Taps [first, last) of the window that begins at pixel `begin` and lie inside.
    int first_tap(int begin) const { return begin >= 0 ? 0 : (-begin + rate - 1) / rate; }
    int last_tap(int begin) const { return std::clamp((src - begin + rate - 1) / rate, 0, taps); }
    // Windows [first, last) whose taps all lie inside.
    int first_full() const { return std::min(dst, (pad + stride - 1) / stride); }
    int last_full() const {
        const int room = src + pad - (taps - 1) * rate - 1;  // where the last of them may begin
        return std::clamp(room < 0 ? 0 : room / stride + 1, first_full(), dst);
    }
};

struct Correlation {
    TapAxis rows, columns;
    std::ptrdiff_t block;     // floats from a pixel to the next,
    std::ptrdiff_t tap_step;  // and from a tap to the next: negative where taps are reversed
    bool has_relu;
};

// Outputs side by side at once: their sums, a row of a filter and a pixel fit the registers.
inline constexpr int kMostColumns = 8;

template <class D>
HWY_ATTR HWY_INLINE void store_output(D d, hn::Vec<D> sum, bool has_relu, float* dst) {
    hn::StoreU(has_relu ? hn::Max(sum, hn::Zero(d)) : sum, d, dst);
}

// Which pixels of some windows side by side lie outside of the image: most often none, or one at an
// end, and nothing is asked pixel by pixel.
enum class Outside { none, first, last, both, any };

// A strip of kColumns outputs side by side, from the top row to the last, of a kernel of 3 x 3 taps
// without gaps; a block is one vector. Each pixel is loaded once for all windows of a row that hold
// it.
//   src     pixel (0, first column of the first window), which may be outside
//   first   that column
template <int kColumns, int kStride, Outside kOutside, class D>
HWY_ATTR HWY_NOINLINE void strip_of_three(D d, const Correlation& c, const float* HWY_RESTRICT src,
                                          int first, const float* HWY_RESTRICT weights,
                                          const float* bias, float* HWY_RESTRICT dst) {
    constexpr std::ptrdiff_t kBlock = hn::MaxLanes(D());
    constexpr int kPixels = (kColumns - 1) * kStride + 3;
    const std::ptrdiff_t src_row = c.columns.src * kBlock, dst_row = c.columns.dst * kBlock;
    const auto initial = bias == nullptr ? hn::Zero(d) : hn::LoadU(d, bias);
    for (int y = 0; y < c.rows.dst; ++y, dst += dst_row) {
        const int begin = c.rows.begin(y);
        const int end = c.rows.last_tap(begin);
        hn::Vec<D> sum[kColumns];
#pragma GCC unroll 8
        for (int o = 0; o < kColumns; ++o) sum[o] = initial;
        for (int row = c.rows.first_tap(begin); row < end; ++row) {
            const float* HWY_RESTRICT w = weights + 3 * row * c.tap_step;
            const float* HWY_RESTRICT pixels = src + (begin + row) * src_row;
            const hn::Vec<D> taps[3] = {hn::LoadU(d, w), hn::LoadU(d, w + c.tap_step),
                                        hn::LoadU(d, w + 2 * c.tap_step)};
#pragma GCC unroll 17
            for (int p = 0; p < kPixels; ++p) {
                if (p == 0 && (kOutside == Outside::first || kOutside == Outside::both)) continue;
                if (p == kPixels - 1 && (kOutside == Outside::last || kOutside == Outside::both))
                    continue;
                if (kOutside == Outside::any && (first + p < 0 || first + p >= c.columns.src))
                    continue;
                const auto pixel = hn::LoadU(d, pixels + p * kBlock);
#pragma GCC unroll 8
                for (int o = 0; o < kColumns; ++o) {
                    const int tap = p - o * kStride;
                    if (0 <= tap && tap < 3) sum[o] = hn::MulAdd(pixel, taps[tap], sum[o]);
                }
            }
        }
#pragma GCC unroll 8
        for (int o = 0; o < kColumns; ++o) store_output(d, sum[o], c.has_relu, dst + o * kBlock);
    }
}

// kColumns outputs side by side of any kernel, of taps [first_tap, last_tap) in a row.
template <int kColumns, class D>
HWY_ATTR HWY_INLINE void any_columns(D d, const Correlation& c, int tap_row, int last_row,
                                     std::ptrdiff_t src_row, const float* HWY_RESTRICT src,
                                     int first_tap, int last_tap, const float* HWY_RESTRICT weights,
                                     hn::Vec<D> bias, float* HWY_RESTRICT dst) {
    const std::ptrdiff_t step = c.columns.stride * c.block, gap = c.columns.rate * c.block;
    hn::Vec<D> sum[kColumns];
#pragma GCC unroll 8
    for (int o = 0; o < kColumns; ++o) sum[o] = bias;
    for (; tap_row < last_row; ++tap_row, src += src_row) {
        const float* HWY_RESTRICT w = weights + tap_row * c.columns.taps * c.tap_step;
        for (int tap = first_tap; tap < last_tap; ++tap) {
            const auto weight = hn::LoadU(d, w + tap * c.tap_step);
            const float* HWY_RESTRICT pixel = src + tap * gap;
#pragma GCC unroll 8
            for (int o = 0; o < kColumns; ++o)
                sum[o] = hn::MulAdd(hn::LoadU(d, pixel + o * step), weight, sum[o]);
        }
    }
#pragma GCC unroll 8
    for (int o = 0; o < kColumns; ++o) store_output(d, sum[o], c.has_relu, dst + o * c.block);
}

// run(constant of that number of columns).
template <int kColumns = kMostColumns, class Run>
HWY_ATTR HWY_INLINE void with_columns(int columns, Run run) {
    if (columns == kColumns) return run(std::integral_constant<int, kColumns>());
    if constexpr (kColumns > 1) with_columns<kColumns - 1>(columns, run);
}

// run(first column, constant of columns) over columns [begin, end), in pieces of like size.
template <class Run>
HWY_ATTR HWY_INLINE void for_each_columns(int begin, int end, Run run) {
    for (int pieces = (end - begin + kMostColumns - 1) / kMostColumns; pieces > 0; --pieces) {
        const int columns = (end - begin + pieces - 1) / pieces;
        with_columns(columns, [&](auto constant) HWY_ATTR { run(begin, constant); });
        begin += columns;
    }
}

template <int kColumns, int kStride, class D>
HWY_ATTR void some_columns_of_three(D d, const Correlation& c, const float* src, int first,
                                    const float* weights, const float* bias, float* dst) {
    const int end = first + (kColumns - 1) * kStride + 3 - c.columns.src;
    const auto strip =
        first >= 0 && end <= 0    ? &strip_of_three<kColumns, kStride, Outside::none, D>
        : first == -1 && end <= 0 ? &strip_of_three<kColumns, kStride, Outside::first, D>
        : first >= 0 && end == 1  ? &strip_of_three<kColumns, kStride, Outside::last, D>
        : first == -1 && end == 1 ? &strip_of_three<kColumns, kStride, Outside::both, D>
                                  : &strip_of_three<kColumns, kStride, Outside::any, D>;
    strip(d, c, src, first, weights, bias, dst);
}

// One block of channels of one image, a strip of columns after another.
template <int kStride, class D>
HWY_ATTR HWY_INLINE void correlate_three(D d, const Correlation& c, const float* src,
                                         const float* weights, const float* bias, float* dst) {
    for_each_columns(0, c.columns.dst, [&](int x, auto columns) HWY_ATTR {
        const int first = c.columns.begin(x);
        some_columns_of_three<decltype(columns)::value, kStride>(d, c, src + first * c.block, first,
                                                                 weights, bias, dst + x * c.block);
    });
}

template <class D>
HWY_ATTR HWY_INLINE void row_of_any(D d, const Correlation& c, int y, const float* src,
                                    const float* weights, hn::Vec<D> bias, float* dst) {
    const int begin = c.rows.begin(y);
    const int tap_row = c.rows.first_tap(begin), last_row = c.rows.last_tap(begin);
    const std::ptrdiff_t line = c.columns.src * c.block;
    const float* row = src + (begin + tap_row * c.rows.rate) * line;
    const auto run = [&](int x, auto columns, int first_tap, int last_tap) HWY_ATTR {
        any_columns<decltype(columns)::value>(d, c, tap_row, last_row, c.rows.rate * line,
                                              row + c.columns.begin(x) * c.block, first_tap,
                                              last_tap, weights, bias, dst + x * c.block);
    };
    const auto run_clipped = [&](int x) HWY_ATTR {
        const int first = c.columns.begin(x);
        run(x, std::integral_constant<int, 1>(), c.columns.first_tap(first),
            c.columns.last_tap(first));
    };
    const int first_full = c.columns.first_full(), last_full = c.columns.last_full();
    for (int x = 0; x < first_full; ++x) run_clipped(x);
    for_each_columns(first_full, last_full,
                     [&](int x, auto columns) HWY_ATTR { run(x, columns, 0, c.columns.taps); });
    for (int x = last_full; x < c.columns.dst; ++x) run_clipped(x);
}

template <class D>
HWY_ATTR HWY_INLINE void correlate_any(D d, const Correlation& c, const float* src,
                                       const float* weights, const float* bias, float* dst) {
    const std::ptrdiff_t dst_row = c.columns.dst * c.block;
    const int lanes = static_cast<int>(hn::Lanes(d));
    for (int y = 0; y < c.rows.dst; ++y, dst += dst_row)
        for (int v = 0; v < c.block; v += lanes) {
            const auto first = bias == nullptr ? hn::Zero(d) : hn::LoadU(d, bias + v);
            row_of_any(d, c, y, src + v, weights + v, first, dst + v);
        }
}

// One block of channels of one image.
//   bias   null: none
template <class D>
HWY_ATTR HWY_INLINE void correlate(D d, const Correlation& c, const float* src,
                                   const float* weights, const float* bias, float* dst) {
    const bool is_three = c.rows.taps == 3 && c.columns.taps == 3 && c.rows.rate == 1 &&
                          c.columns.rate == 1 && c.block == static_cast<int>(hn::Lanes(d));
    if (is_three && c.columns.stride == 1)
        correlate_three<1>(d, c, src, weights, bias, dst);
    else if (is_three && c.columns.stride == 2)
        correlate_three<2>(d, c, src, weights, bias, dst);
    else
        correlate_any(d, c, src, weights, bias, dst);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
