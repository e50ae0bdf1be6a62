// Tiles of the first convolution's output, with their sums in registers. Included once for each
// instruction set, as planes-inl.hpp.

#if defined(LOCKSTEP_FIRST_OUTPUTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_FIRST_OUTPUTS
#undef LOCKSTEP_FIRST_OUTPUTS
#else
#define LOCKSTEP_FIRST_OUTPUTS
#endif

#include <hwy/highway.h>

#include <algorithm>
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
    const float* src;      // the first pixel of the tile's first window
    std::size_t src_row;   // floats from a window to the one below
    std::size_t src_step;  // and to the one on its right
    const std::ptrdiff_t* tap_places;
    int taps;
    const float* weights;  // [vectors][taps][lanes]
    const float* bias;     // [vectors][lanes]
    bool has_relu;
    float* dst;             // [vectors][.., pixels, lanes]
    std::size_t dst_block;  // floats between two vectors
    PooledPlace* places;    // as dst; pooled tiles only
};

// sum[row * kColumns + column][vector]. Loops are unrolled by order: only then do the sums stay in
// registers. kIsDense: src_step = 1.
template <int kRows, int kColumns, int kVectors, bool kIsDense>
HWY_INLINE HWY_ATTR void sum_taps(const OutputTile& t, V (&sum)[kRows * kColumns][kVectors]) {
    const D d;
    const std::size_t lanes = hn::Lanes(d), step = kIsDense ? 1 : t.src_step;
    const std::size_t weights_block = size(t.taps) * lanes;
    const float* HWY_RESTRICT weights = t.weights;
#pragma GCC unroll 28
    for (int i = 0; i < kRows * kColumns; ++i)
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Load(d, t.bias + size(v) * lanes);
    for (int tap = 0; tap < t.taps; ++tap, weights += lanes) {
        const float* HWY_RESTRICT src = t.src + t.tap_places[tap];
        V weight[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
            weight[v] = hn::Load(d, weights + size(v) * weights_block);
#pragma GCC unroll 2
        for (int y = 0; y < kRows; ++y, src += t.src_row)
#pragma GCC unroll 28
            for (int x = 0; x < kColumns; ++x) {
                const V pixel = hn::Set(d, src[size(x) * step]);
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    sum[y * kColumns + x][v] =
                        hn::MulAdd(pixel, weight[v], sum[y * kColumns + x][v]);
            }
    }
}

template <int kColumns, int kVectors, bool kIsDense>
HWY_ATTR void compute_outputs(const OutputTile& t) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    V sum[kColumns][kVectors];
    sum_taps<1, kColumns, kVectors, kIsDense>(t, sum);
    const bool has_relu = t.has_relu;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
        float* HWY_RESTRICT dst = t.dst + size(v) * t.dst_block;
#pragma GCC unroll 28
        for (int x = 0; x < kColumns; ++x)
            hn::Store(has_relu ? hn::Max(sum[x][v], hn::Zero(d)) : sum[x][v], d,
                      dst + size(x) * lanes);
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

template <int kColumns, int kVectors>
HWY_ATTR void compute_pooled(const OutputTile& t) {
    const std::size_t lanes = hn::Lanes(D());
    V sum[4 * kColumns][kVectors];
    sum_taps<2, 2 * kColumns, kVectors, true>(t, sum);
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
#pragma GCC unroll 7
        for (int x = 0; x < kColumns; ++x) {
            const V window[4] = {sum[2 * x][v], sum[2 * x + 1][v], sum[2 * (kColumns + x)][v],
                                 sum[2 * (kColumns + x) + 1][v]};
            const std::size_t to = size(v) * t.dst_block + size(x) * lanes;
            store_maximum(window, t.dst + to, t.places + to);
        }
}

using ComputeTile = void (*)(const OutputTile&);

template <int kVectors, bool kIsDense, int... kColumns>
constexpr std::array<ComputeTile, sizeof...(kColumns)> output_kernels(
    std::integer_sequence<int, kColumns...>) {
    return {&compute_outputs<kColumns + 1, kVectors, kIsDense>...};
}
template <int kVectors, bool kIsDense>
inline constexpr auto kOutputKernels = output_kernels<kVectors, kIsDense>(
    std::make_integer_sequence<int, std::min(kMaxSums / kVectors, 16)>());

template <int kVectors, int... kColumns>
constexpr std::array<ComputeTile, sizeof...(kColumns)> pooled_kernels(
    std::integer_sequence<int, kColumns...>) {
    return {&compute_pooled<kColumns + 1, kVectors>...};
}
template <int kVectors>
inline constexpr auto kPooledKernels =
    pooled_kernels<kVectors>(std::make_integer_sequence<int, kMaxSums / 4 / kVectors>());

// A row of outputs in tiles of nearly equal width. src_tile: floats of src from a tile's output to
// the next one.
template <std::size_t kCount>
HWY_ATTR void compute_row(const std::array<ComputeTile, kCount>& kernels, OutputTile t,
                          std::size_t src_tile, int columns) {
    constexpr int kMost = static_cast<int>(kCount);
    const std::size_t lanes = hn::Lanes(D());
    for (int tiles = (columns + kMost - 1) / kMost; tiles > 0; --tiles) {
        const int count = (columns + tiles - 1) / tiles;
        kernels[size(count - 1)](t);
        columns -= count;
        t.src += size(count) * src_tile;
        t.dst += size(count) * lanes;
        if (t.places != nullptr) t.places += size(count) * lanes;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
