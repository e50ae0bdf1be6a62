// Tiles of the first convolution's pooled output, with the sums of all their windows' pixels in
// registers. Included once for each instruction set, as planes-inl.hpp.

#if defined(LOCKSTEP_FIRST_OUTPUTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_FIRST_OUTPUTS
#undef LOCKSTEP_FIRST_OUTPUTS
#else
#define LOCKSTEP_FIRST_OUTPUTS
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "trainer/kernels/first/planes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums that fit the registers beside their operands: 32 registers with AVX-512, 16 before.
inline constexpr int kMaxSums = HWY_MAX_BYTES >= 64 ? 28 : 12;

struct OutputTile {
    const float* src;     // the first tap of the tile's first pixel
    std::size_t src_row;  // floats from a pixel to the one below
    const std::ptrdiff_t* tap_places;
    int taps;
    const float* weights;   // [vectors][taps][lanes]
    const float* bias;      // [vectors][lanes]
    float* dst;             // [vectors][.., windows, lanes]
    PooledPlace* places;    // as dst
    std::size_t dst_block;  // floats between two vectors
};

// The convolution: sum[row * kColumns + column][vector]. Loops are unrolled by order: only then do
// the sums stay in registers.
template <int kColumns, int kVectors>
HWY_INLINE HWY_ATTR void sum_taps(const OutputTile& t, V (&sum)[2 * kColumns][kVectors]) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t weights_block = size(t.taps) * lanes;
    const float* HWY_RESTRICT weights = t.weights;
#pragma GCC unroll 28
    for (int i = 0; i < 2 * kColumns; ++i)
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Load(d, t.bias + size(v) * lanes);
    for (int tap = 0; tap < t.taps; ++tap, weights += lanes) {
        const float* HWY_RESTRICT src = t.src + t.tap_places[tap];
        V weight[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
            weight[v] = hn::Load(d, weights + size(v) * weights_block);
#pragma GCC unroll 2
        for (int y = 0; y < 2; ++y, src += t.src_row)
#pragma GCC unroll 14
            for (int x = 0; x < kColumns; ++x) {
                const V pixel = hn::Set(d, src[x]);
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    sum[y * kColumns + x][v] =
                        hn::MulAdd(pixel, weight[v], sum[y * kColumns + x][v]);
            }
    }
}

// The maximum of four, with ReLU, and its place.
HWY_INLINE HWY_ATTR void store_maximum(const V (&window)[4], float* dst, PooledPlace* to) {
    const D d;
    const hn::RebindToSigned<D> di;
    const hn::Rebind<PooledPlace, D> d_place;
    // Strictly more: ties keep the first.
    const auto is_right = hn::Gt(window[1], window[0]),
               is_right_below = hn::Gt(window[3], window[2]);
    const V above = hn::IfThenElse(is_right, window[1], window[0]);
    const V below = hn::IfThenElse(is_right_below, window[3], window[2]);
    const auto is_below = hn::Gt(below, above);
    const V best = hn::IfThenElse(is_below, below, above);
    const auto place_above = hn::IfThenElseZero(hn::RebindMask(di, is_right), hn::Set(di, 2));
    const auto place_below =
        hn::IfThenElse(hn::RebindMask(di, is_right_below), hn::Set(di, 3), hn::Set(di, 1));
    const auto place = hn::IfThenElse(hn::RebindMask(di, is_below), place_below, place_above);
    const auto passed =
        hn::IfThenElseZero(hn::RebindMask(di, hn::Gt(best, hn::Zero(d))), hn::Set(di, 4));
    hn::Store(hn::Max(best, hn::Zero(d)), d, dst);
    hn::StoreU(hn::DemoteTo(d_place, hn::Or(place, passed)), d_place, to);
}

template <int kWindows, int kVectors>
HWY_ATTR void compute_tile(const OutputTile& t) {
    constexpr int kColumns = 2 * kWindows;
    const std::size_t lanes = hn::Lanes(D());
    V sum[2 * kColumns][kVectors];
    sum_taps<kColumns, kVectors>(t, sum);
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
#pragma GCC unroll 7
        for (int x = 0; x < kWindows; ++x) {
            const V window[4] = {sum[2 * x][v], sum[2 * x + 1][v], sum[kColumns + 2 * x][v],
                                 sum[kColumns + 2 * x + 1][v]};
            const std::size_t to = size(v) * t.dst_block + size(x) * lanes;
            store_maximum(window, t.dst + to, t.places + to);
        }
}

using ComputeTile = void (*)(const OutputTile&);

template <int kVectors, int... kWindows>
constexpr std::array<ComputeTile, sizeof...(kWindows)> tile_kernels(
    std::integer_sequence<int, kWindows...>) {
    return {&compute_tile<kWindows + 1, kVectors>...};
}
template <int kVectors>
inline constexpr auto kTileKernels =
    tile_kernels<kVectors>(std::make_integer_sequence<int, kMaxSums / 4 / kVectors>());

// A row of windows in tiles of nearly equal width.
template <int kVectors>
HWY_ATTR void compute_row(OutputTile t, int windows) {
    constexpr int kMost = static_cast<int>(kTileKernels<kVectors>.size());
    const std::size_t lanes = hn::Lanes(D());
    for (int tiles = (windows + kMost - 1) / kMost; tiles > 0; --tiles) {
        const int count = (windows + tiles - 1) / tiles;
        kTileKernels<kVectors>[size(count - 1)](t);
        windows -= count;
        t.src += 2 * count;
        t.dst += size(count) * lanes;
        t.places += size(count) * lanes;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
