// Filters <-> their frequencies, in panels as the products read them. Included once for each
// instruction set, as transforms-inl.hpp.

#if defined(LOCKSTEP_WINOGRAD_FILTERS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_FILTERS
#undef LOCKSTEP_WINOGRAD_FILTERS
#else
#define LOCKSTEP_WINOGRAD_FILTERS
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "trainer/kernels/winograd/geometry.hpp"
#include "trainer/kernels/winograd/tiles-inl.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Two vectors of output channels are one panel; the last one may be a single vector.
template <class Panel>
HWY_ATTR void for_each_panel(int channels, int block, Panel panel) {
    for (int first = 0; first < channels; first += 2 * block)
        panel(first, std::min(2, (channels - first) / block));
}

// U of one source channel and one vector of destination channels. tap(k) is the k-th of the
// filter's vectors.
template <int kTaps, class Tap>
HWY_INLINE HWY_ATTR void filter_frequencies(Tap tap, float* HWY_RESTRICT to, std::size_t step) {
    constexpr int kPoints = kTaps + 3;
    const D d;
    V t[kPoints][kTaps];
#pragma GCC unroll 3
    for (int j = 0; j < kTaps; ++j) {
        V x[kTaps], y[kPoints];
#pragma GCC unroll 3
        for (int i = 0; i < kTaps; ++i) x[i] = tap(i * kTaps + j);
        transform_filter(x, y);
#pragma GCC unroll 6
        for (int i = 0; i < kPoints; ++i) t[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < kPoints; ++i) {
        V y[kPoints];
        transform_filter(t[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < kPoints; ++j) hn::Store(y[j], d, to + size(i * kPoints + j) * step);
    }
}

// Where U (and the weights' gradient) of (src, first dst channel of a vector) stands: panels of
// [src channels][panel's dst channels].
inline std::size_t filter_place(int src_channels, int dst_channels, int block, int src, int dst) {
    const int panel = dst / (2 * block) * (2 * block);
    const int width = std::min(2 * block, dst_channels - panel);
    return size(panel) * size(src_channels) + size(src) * size(width) + size(dst - panel);
}

// As the weights lie: [dst block][src block][taps][taps][src in block][dst in block].
inline std::size_t weight_place(const WinogradShape& s, int src, int dst_block, int tap) {
    const std::size_t pair = size(dst_block) * size(s.src_blocks()) + size(src / s.block);
    return ((pair * size(s.taps * s.taps) + size(tap)) * size(s.block) + size(src % s.block)) *
           size(s.block);
}

template <int kTaps>
HWY_ATTR void transform_filters(const WinogradShape& s, const float* weights, float* filters) {
    const D d;
    const std::size_t step = padded_step(size(s.src_channels) * size(s.dst_channels));
    for (int dst = 0; dst < s.dst_channels; dst += s.block)
        for (int src = 0; src < s.src_channels; ++src) {
            const float* from = weights + weight_place(s, src, dst / s.block, 0);
            filter_frequencies<kTaps>(
                [&](int tap) HWY_ATTR { return hn::Load(d, from + s.pixel(tap * s.block)); },
                filters + filter_place(s.src_channels, s.dst_channels, s.block, src, dst), step);
        }
}

// `to` = the transpose of a block x block matrix, 4 x 4 at a time.
#if HWY_TARGET == HWY_SCALAR
inline void transpose_block(const float* from, std::size_t block, float* to) {
    for (std::size_t i = 0; i < block * block; ++i) to[i % block * block + i / block] = from[i];
}
#else
HWY_ATTR inline void transpose_4x4(const float* HWY_RESTRICT from, std::size_t step,
                                   float* HWY_RESTRICT to) {
    const hn::CappedTag<float, 4> d;
    const hn::Repartition<std::uint64_t, decltype(d)> pairs;
    const auto row = [&](std::size_t i) HWY_ATTR { return hn::Load(d, from + i * step); };
    const auto row0 = row(0), row1 = row(1), row2 = row(2), row3 = row(3);
    const auto left01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
    const auto left23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
    const auto right01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
    const auto right23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, left01, left23)), d, to);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, left01, left23)), d, to + step);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, right01, right23)), d, to + 2 * step);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, right01, right23)), d, to + 3 * step);
}
HWY_ATTR inline void transpose_block(const float* HWY_RESTRICT from, std::size_t block,
                                     float* HWY_RESTRICT to) {
    for (std::size_t row = 0; row < block; row += 4)
        for (std::size_t column = 0; column < block; column += 4)
            transpose_4x4(from + row * block + column, block, to + column * block + row);
}
#endif

// With source and destination exchanged: a vector holds source channels.
template <int kTaps>
HWY_ATTR void transform_filters_for_data(const WinogradShape& s, const float* weights,
                                         float* filters) {
    constexpr std::size_t kLanes = HWY_MAX_BYTES / sizeof(float);
    const D d;
    const std::size_t step = padded_step(size(s.src_channels) * size(s.dst_channels));
    HWY_ALIGN float turned[kTaps * kTaps][kLanes * kLanes];  // [dst in block][src in block]
    for (int src = 0; src < s.src_channels; src += s.block)
        for (int dst = 0; dst < s.dst_channels; dst += s.block) {
            for (int tap = 0; tap < kTaps * kTaps; ++tap)
                transpose_block(weights + weight_place(s, src, dst / s.block, tap), size(s.block),
                                turned[tap]);
            for (int i = 0; i < s.block; ++i)
                filter_frequencies<kTaps>(
                    [&](int tap) HWY_ATTR { return hn::Load(d, turned[tap] + s.pixel(i)); },
                    filters + filter_place(s.dst_channels, s.src_channels, s.block, dst + i, src),
                    step);
        }
}

// G^T W G of one source channel and one vector of destination channels, to where the weights lie.
template <int kTaps>
HWY_INLINE HWY_ATTR void filter_gradient(const float* HWY_RESTRICT from, std::size_t step,
                                         float* HWY_RESTRICT to, std::size_t to_step) {
    constexpr int kPoints = kTaps + 3;
    const D d;
    V t[kTaps][kPoints];
#pragma GCC unroll 6
    for (int j = 0; j < kPoints; ++j) {
        V x[kPoints], y[kTaps];
#pragma GCC unroll 6
        for (int i = 0; i < kPoints; ++i) x[i] = hn::Load(d, from + size(i * kPoints + j) * step);
        transform_filter_gradient(x, y);
#pragma GCC unroll 3
        for (int i = 0; i < kTaps; ++i) t[i][j] = y[i];
    }
#pragma GCC unroll 3
    for (int i = 0; i < kTaps; ++i) {
        V y[kTaps];
        transform_filter_gradient(t[i], y);
#pragma GCC unroll 3
        for (int j = 0; j < kTaps; ++j) hn::Store(y[j], d, to + size(i * kTaps + j) * to_step);
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
