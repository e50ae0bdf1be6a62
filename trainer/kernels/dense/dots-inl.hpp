// Products of rows with rows: both operands are read in vectors, and a sum is spread over the lanes
// until the end. Included once for each instruction set, as product-inl.hpp.

#if defined(LOCKSTEP_DENSE_DOTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DENSE_DOTS
#undef LOCKSTEP_DENSE_DOTS
#else
#define LOCKSTEP_DENSE_DOTS
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <utility>

#include "trainer/kernels/dense/panels.hpp"
#include "trainer/kernels/dense/product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr int kDotSamples = HWY_MAX_BYTES >= 64 ? 6 : 3;

// The sums over all lanes of four vectors: lanes 0 + 2, 1 + 3 of each block of four, both of these,
// then the blocks.
#if HWY_TARGET != HWY_SCALAR
HWY_ATTR HWY_INLINE void store_lane_sums(const DenseVector (&v)[kDotFeatures], float* to) {
    const DenseTag d;
    const hn::RepartitionToWide<DenseTag> pairs;
    const auto add_halves = [&](DenseVector a, DenseVector b) HWY_ATTR {
        return hn::BitCast(pairs,
                           hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
    };
    const auto sum01 = add_halves(v[0], v[1]), sum23 = add_halves(v[2], v[3]);
    const DenseVector blocks = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, sum01, sum23)),
                                       hn::BitCast(d, hn::InterleaveUpper(pairs, sum01, sum23)));
#if HWY_MAX_BYTES >= 64
    const hn::Half<DenseTag> half;
    const hn::Half<decltype(half)> block;
    const auto two = hn::Add(hn::LowerHalf(half, blocks), hn::UpperHalf(half, blocks));
    hn::StoreU(hn::Add(hn::LowerHalf(block, two), hn::UpperHalf(block, two)), block, to);
#elif HWY_MAX_BYTES >= 32
    const hn::Half<DenseTag> block;
    hn::StoreU(hn::Add(hn::LowerHalf(block, blocks), hn::UpperHalf(block, blocks)), block, to);
#else
    hn::StoreU(blocks, d, to);
#endif
}
#else
inline void store_lane_sums(const DenseVector (&v)[kDotFeatures], float* to) {
    for (int c = 0; c < kDotFeatures; ++c) to[c] = hn::GetLane(v[c]);
}
#endif

// out[row][feature] = sum over units of diff[row][unit] * weight(feature, unit), for tiles of
// kDotFeatures features.
struct DotProducts {
    const float* diff;
    std::size_t diff_step;
    const float* weights;    // the first feature in the first panel
    std::size_t panel_step;  // from panel to panel, all but the last two vectors wide
    std::size_t last_begin;  // of a last panel of one vector, its first feature
    float* copy;             // [tile][vector][feature of the tile][lanes]
    std::size_t vectors;     // of units
    float* out;
    std::size_t out_step;
};

enum class DotWeights { from_panels, from_panels_to_copy, from_copy };

template <int kRows, DotWeights kWeights>
HWY_ATTR void multiply_dots(const DotProducts& products, int tiles) {
    const DotProducts p = products;  // nobody writes to it while sums are stored
    const DenseTag d;
    const std::size_t lanes = hn::Lanes(d);
    float* HWY_RESTRICT copy = p.copy;
    float* HWY_RESTRICT out = p.out;
    const float* tile = p.weights;
    const float* last = p.weights + p.last_begin;
    for (; tiles > 0; --tiles) {
        DenseVector sum[kRows][kDotFeatures];
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
            for (int c = 0; c < kDotFeatures; ++c) sum[r][c] = hn::Zero(d);
        const float* HWY_RESTRICT diff = p.diff;
        const auto add_vector = [&](const float* weights, std::size_t feature_step) HWY_ATTR {
            DenseVector row[kRows];
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r)
                row[r] = hn::LoadU(d, diff + static_cast<std::size_t>(r) * p.diff_step);
#pragma GCC unroll 4
            for (int c = 0; c < kDotFeatures; ++c, copy += lanes) {
                const DenseVector w =
                    kWeights == DotWeights::from_copy
                        ? hn::Load(d, copy)
                        : hn::LoadU(d, weights + static_cast<std::size_t>(c) * feature_step);
                if constexpr (kWeights == DotWeights::from_panels_to_copy) hn::Store(w, d, copy);
#pragma GCC unroll 8
                for (int r = 0; r < kRows; ++r) sum[r][c] = hn::MulAdd(row[r], w, sum[r][c]);
            }
            diff += lanes;
        };
        const float* weights = tile;
        for (std::size_t v = 0; v + 2 <= p.vectors; v += 2, weights += p.panel_step) {
            add_vector(weights, 2 * lanes);
            add_vector(weights + lanes, 2 * lanes);
        }
        if (p.vectors % 2 != 0) add_vector(last, lanes);
        tile += kDotFeatures * 2 * lanes;
        last += kDotFeatures * lanes;
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r)
            store_lane_sums(sum[r], out + static_cast<std::size_t>(r) * p.out_step);
        out += kDotFeatures;
    }
}

using MultiplyDots = void (*)(const DotProducts&, int);

template <DotWeights kWeights, int... kRows>
constexpr std::array<MultiplyDots, sizeof...(kRows)> dot_products(
    std::integer_sequence<int, kRows...>) {
    return {&multiply_dots<kRows + 1, kWeights>...};
}
template <DotWeights kWeights>
inline constexpr auto kDotProducts =
    dot_products<kWeights>(std::make_integer_sequence<int, kDotSamples>());

// All samples, in groups of like size. The first group of several brings the weights together:
// pieces of many panels are often a power of two apart, and would not stay in the cache.
HWY_ATTR inline void multiply_dots_of_samples(DotProducts p, int tiles, int samples) {
    int groups = (samples + kDotSamples - 1) / kDotSamples;
    for (bool is_first = true; groups > 0; --groups, is_first = false) {
        const int count = (samples + groups - 1) / groups;
        const auto& table = !is_first    ? kDotProducts<DotWeights::from_copy>
                            : groups > 1 ? kDotProducts<DotWeights::from_panels_to_copy>
                                         : kDotProducts<DotWeights::from_panels>;
        table[static_cast<std::size_t>(count - 1)](p, tiles);
        samples -= count;
        p.diff += static_cast<std::size_t>(count) * p.diff_step;
        p.out += static_cast<std::size_t>(count) * p.out_step;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
