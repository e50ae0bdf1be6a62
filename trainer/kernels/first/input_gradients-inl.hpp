// Tiles of the input's gradient, with their sums in registers: a vector of partial sums, one for
// each channel of diff_dst in a block, for every pixel and channel of the input. Included once for
// each instruction set, as planes-inl.hpp.

#if defined(LOCKSTEP_FIRST_INPUT_GRADIENTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_FIRST_INPUT_GRADIENTS
#undef LOCKSTEP_FIRST_INPUT_GRADIENTS
#else
#define LOCKSTEP_FIRST_INPUT_GRADIENTS
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <utility>

#include "trainer/kernels/first/gradient_rows.hpp"
#include "trainer/kernels/first/planes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ---- the rows that are read --------------------------------------------------------------------

HWY_INLINE HWY_ATTR void fill_zeros(float* to, std::size_t vectors) {
    const D d;
    for (std::size_t i = 0; i < vectors; ++i) hn::Store(hn::Zero(d), d, to + i * hn::Lanes(d));
}

// All blocks and rows of one image, where relu_dst, if there is one, is positive.
HWY_ATTR inline void copy_gradient(const FirstConvolutionShape& s, const GradientRows& rows,
                                   const float* HWY_RESTRICT diff_dst,
                                   const float* HWY_RESTRICT relu_dst, float* HWY_RESTRICT to) {
    const D d;
    const std::size_t lanes = hn::Lanes(d), row = size(s.dst_width) * lanes;
    const std::size_t left = size(rows.left), right = size(rows.columns - rows.left - s.dst_width);
    for (int y = 0; y < s.dst_blocks() * s.dst_height; ++y, diff_dst += row) {
        fill_zeros(to, left);
        to += left * lanes;
        if (relu_dst == nullptr) {
            for (std::size_t i = 0; i < row; i += lanes)
                hn::Store(hn::Load(d, diff_dst + i), d, to + i);
        } else {
            for (std::size_t i = 0; i < row; i += lanes) {
                const auto is_passed = hn::Gt(hn::Load(d, relu_dst + i), hn::Zero(d));
                hn::Store(hn::IfThenElseZero(is_passed, hn::Load(d, diff_dst + i)), d, to + i);
            }
            relu_dst += row;
        }
        to += row;
        fill_zeros(to, right);
        to += right * lanes;
    }
}

// ---- sums over the lanes -----------------------------------------------------------------------

// The sums of four vectors, written one behind another. All go the same way, by pairs, so that a
// pixel's bits do not depend on which of the four it is.
HWY_INLINE HWY_ATTR void store_sums_of_four(V a, V b, V c, V e, float* to) {
    const D d;
#if HWY_TARGET == HWY_SCALAR
    hn::StoreU(a, d, to);
    hn::StoreU(b, d, to + 1);
    hn::StoreU(c, d, to + 2);
    hn::StoreU(e, d, to + 3);
#else
    const hn::RepartitionToWide<D> d_wide;
    const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
    const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
    const auto wide_ab = hn::BitCast(d_wide, ab), wide_ce = hn::BitCast(d_wide, ce);
    const V sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(d_wide, wide_ab, wide_ce)),
                           hn::BitCast(d, hn::InterleaveUpper(d_wide, wide_ab, wide_ce)));
#if HWY_MAX_BYTES >= 64
    const hn::Half<D> half;
    const hn::Half<decltype(half)> quarter;
    const auto two = hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums));
    hn::StoreU(hn::Add(hn::LowerHalf(quarter, two), hn::UpperHalf(quarter, two)), quarter, to);
#elif HWY_MAX_BYTES >= 32
    const hn::Half<D> half;
    hn::StoreU(hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums)), half, to);
#else
    hn::StoreU(sums, d, to);
#endif
#endif
}

// ---- tiles -------------------------------------------------------------------------------------

// Neighbouring pixels: of the source, or of those that a stride has at the same place of a window.
struct InputTile {
    const float* gradient;     // GradientRows: at the first pixel's first output
    std::size_t gradient_row;  // floats from a row to the next; taps go back
    std::size_t gradient_block;
    const float* weights;      // of the first tap and block
    std::size_t weights_step;  // floats to the next tap of a row,
    std::size_t weights_row;   // of a column,
    std::size_t weights_block;
    int blocks, rows, columns;  // of diff_dst; taps
    float* sums;                // [channels][sums_plane]
    std::size_t sums_plane;
};

template <int kPixels, int kChannels>
HWY_ATTR void compute_inputs(const InputTile& tile) {
    const D d;
    const InputTile t = tile;
    const std::size_t lanes = hn::Lanes(d);
    V sum[kChannels][kPixels];
#pragma GCC unroll 4
    for (int c = 0; c < kChannels; ++c)
#pragma GCC unroll 16
        for (int p = 0; p < kPixels; ++p) sum[c][p] = hn::Zero(d);
    for (int block = 0; block < t.blocks; ++block)
        for (int row = 0; row < t.rows; ++row) {
            const float* HWY_RESTRICT gradient =
                t.gradient + size(block) * t.gradient_block - size(row) * t.gradient_row;
            const float* HWY_RESTRICT weights =
                t.weights + size(block) * t.weights_block + size(row) * t.weights_row;
            for (int column = 0; column < t.columns;
                 ++column, gradient -= lanes, weights += t.weights_step) {
                V weight[kChannels];
#pragma GCC unroll 4
                for (int c = 0; c < kChannels; ++c)
                    weight[c] = hn::Load(d, weights + size(c) * lanes);
#pragma GCC unroll 16
                for (int p = 0; p < kPixels; ++p) {
                    const V value = hn::Load(d, gradient + size(p) * lanes);
#pragma GCC unroll 4
                    for (int c = 0; c < kChannels; ++c)
                        sum[c][p] = hn::MulAdd(value, weight[c], sum[c][p]);
                }
            }
        }
#pragma GCC unroll 4
    for (int c = 0; c < kChannels; ++c)
#pragma GCC unroll 4
        for (int p = 0; p < kPixels; p += kPixelsOfSum)
            store_sums_of_four(sum[c][p], sum[c][p + 1], sum[c][p + 2], sum[c][p + 3],
                               t.sums + size(c) * t.sums_plane + p);
}

// Pixels of a tile, of up to four channels: what fits the registers.
template <int kChannels>
inline constexpr int kTilePixels = kPixelsOfSum*(HWY_MAX_BYTES >= 64 ? (kChannels == 1   ? 4
                                                                        : kChannels == 2 ? 3
                                                                        : kChannels == 3 ? 2
                                                                                         : 1)
                                                                     : (kChannels == 1 ? 2 : 1));

using ComputeInputs = void (*)(const InputTile&);

template <int kChannels, int... kGroups>
constexpr std::array<ComputeInputs, sizeof...(kGroups)> input_kernels(
    std::integer_sequence<int, kGroups...>) {
    return {&compute_inputs<(kGroups + 1) * kPixelsOfSum, kChannels>...};
}
template <int kChannels>
inline constexpr auto kInputKernels = input_kernels<kChannels>(
    std::make_integer_sequence<int, kTilePixels<kChannels> / kPixelsOfSum>());

template <int kChannels>
HWY_ATTR void compute_input_tiles(InputTile t, int pixels) {
    for (int x = 0; x < pixels; x += kTilePixels<kChannels>) {
        const int left = std::min(pixels - x, kTilePixels<kChannels>);
        kInputKernels<kChannels>[size((left - 1) / kPixelsOfSum)](t);
        t.gradient += kTilePixels<kChannels> * hn::Lanes(D());
        t.sums += kTilePixels<kChannels>;
    }
}

HWY_ATTR inline void compute_input_row(const InputTile& t, int channels, int pixels) {
    if (channels == 1) return compute_input_tiles<1>(t, pixels);
    if (channels == 2) return compute_input_tiles<2>(t, pixels);
    if (channels == 3) return compute_input_tiles<3>(t, pixels);
    if constexpr (HWY_MAX_BYTES >= 64) return compute_input_tiles<4>(t, pixels);
    // Sixteen registers hold two channels at a time.
    compute_input_tiles<2>(t, pixels);
    InputTile upper = t;
    upper.weights += 2 * hn::Lanes(D());
    upper.sums += 2 * t.sums_plane;
    compute_input_tiles<2>(upper, pixels);
}

HWY_INLINE HWY_ATTR void spread(const float* HWY_RESTRICT from, int count, int step,
                                float* HWY_RESTRICT to) {
    if (step == 1) return copy_row(from, size(count), to);
    for (int i = 0; i < count; ++i) to[i * step] = from[i];
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
