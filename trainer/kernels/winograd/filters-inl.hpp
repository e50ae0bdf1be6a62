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

#include "trainer/kernels/winograd/geometry.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t size(int value) { return static_cast<std::size_t>(value); }

// Two vectors of output channels are one panel; the last one may be a single vector.
template <class Panel>
HWY_ATTR void for_each_panel(int channels, int block, Panel panel) {
    for (int first = 0; first < channels; first += 2 * block)
        panel(first, std::min(2, (channels - first) / block));
}

// U of one source channel and one vector of destination channels, from nine vectors.
HWY_ATTR inline void filter_frequencies(const V taps[kTaps][kTaps], float* HWY_RESTRICT to,
                                        std::size_t step) {
    V t[kTile][kTaps];
    for (int j = 0; j < kTaps; ++j) {
        const V column[kTaps] = {taps[0][j], taps[1][j], taps[2][j]};
        V result[kTile];
        transform_filter(column, result);
        for (int i = 0; i < kTile; ++i) t[i][j] = result[i];
    }
    for (int i = 0; i < kTile; ++i) {
        V result[kTile];
        transform_filter(t[i], result);
        for (int j = 0; j < kTile; ++j) hn::Store(result[j], D(), to + size(i * kTile + j) * step);
    }
}

// Where U (and the weights' gradient) of (src, first dst channel of a vector) stands: panels of
// [src channels][panel's dst channels].
inline std::size_t filter_place(int src_channels, int dst_channels, int block, int src, int dst) {
    const int panel = dst / (2 * block) * (2 * block);
    const int width = std::min(2 * block, dst_channels - panel);
    return size(panel) * size(src_channels) + size(src) * size(width) + size(dst - panel);
}

// As the weights lie: [dst block][src block][3][3][src in block][dst in block].
inline std::size_t weight_place(const WinogradShape& s, int src, int dst_block, int tap) {
    const std::size_t pair = size(dst_block) * size(s.src_blocks()) + size(src / s.block);
    return ((pair * kTaps * kTaps + size(tap)) * size(s.block) + size(src % s.block)) *
           size(s.block);
}

HWY_ATTR inline void TransformFilters(const WinogradShape& s, const float* weights,
                                      float* filters) {
    const D d;
    const std::size_t step = padded_step(size(s.src_channels) * size(s.dst_channels));
    for (int dst = 0; dst < s.dst_channels; dst += s.block)
        for (int src = 0; src < s.src_channels; ++src) {
            V taps[kTaps][kTaps];
            for (int tap = 0; tap < kTaps * kTaps; ++tap)
                taps[tap / kTaps][tap % kTaps] =
                    hn::Load(d, weights + weight_place(s, src, dst / s.block, tap));
            filter_frequencies(
                taps, filters + filter_place(s.src_channels, s.dst_channels, s.block, src, dst),
                step);
        }
}

// With source and destination exchanged: a vector holds source channels. `turns` by 180 degrees.
HWY_ATTR inline void TransformFiltersForData(const WinogradShape& s, bool turns,
                                             const float* weights, float* filters) {
    const D d;
    const std::size_t step = padded_step(size(s.src_channels) * size(s.dst_channels));
    HWY_ALIGN float lanes[kTaps * kTaps][HWY_MAX_BYTES / sizeof(float)];
    for (int src = 0; src < s.src_channels; src += s.block)
        for (int dst = 0; dst < s.dst_channels; ++dst) {
            V taps[kTaps][kTaps];
            for (int tap = 0; tap < kTaps * kTaps; ++tap) {
                const float* from =
                    weights + weight_place(s, src, dst / s.block, tap) + size(dst % s.block);
                for (int lane = 0; lane < s.block; ++lane)
                    lanes[tap][lane] = from[size(lane) * size(s.block)];
                const int to = turns ? kTaps * kTaps - 1 - tap : tap;
                taps[to / kTaps][to % kTaps] = hn::Load(d, lanes[tap]);
            }
            filter_frequencies(
                taps, filters + filter_place(s.dst_channels, s.src_channels, s.block, dst, src),
                step);
        }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
