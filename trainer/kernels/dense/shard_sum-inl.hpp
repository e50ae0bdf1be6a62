// Weight gradients from their factors, summed over shards before they leave the registers. Included
// once for each instruction set, as product-inl.hpp.

#if defined(LOCKSTEP_DENSE_SHARD_SUM) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DENSE_SHARD_SUM
#undef LOCKSTEP_DENSE_SHARD_SUM
#else
#define LOCKSTEP_DENSE_SHARD_SUM
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/dense/product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Features of one group: as many as need two loads of src, and leave registers for the operands.
inline constexpr int kGradientRows = HWY_MAX_BYTES >= 64 ? 12 : 6;
inline constexpr int kTreeLevels = 31;  // shards are counted by int

// out[row][column] = tree over shards of (sum over samples k of src[k][row] * diff[k][column]).
struct ShardSum {
    const float* src;
    std::size_t src_step;
    const float* diff;
    std::size_t diff_step;
    std::span<const SampleRange> shards;
    float* out;
    std::size_t out_row;
};

// Sums of complete nodes that wait for their right neighbours, one a level: level l is taken while
// bit l of the number of shards so far is set, as in a binary counter.
template <int kRows, int kVectors>
struct WaitingSums {
    HWY_ALIGN float values[kTreeLevels][kRows][kVectors][HWY_MAX_BYTES / sizeof(float)];
};

template <int kRows, int kVectors>
HWY_ATTR void sum_shards(const ShardSum& whole, int groups) {
    const ShardSum p = whole;
    const DenseTag d;
    const std::size_t lanes = hn::Lanes(d);
    WaitingSums<kRows, kVectors> waiting;
    const SampleRange* HWY_RESTRICT shards = p.shards.data();
    const std::size_t shard_count = p.shards.size();
    const float* HWY_RESTRICT group_src = p.src;
    float* HWY_RESTRICT out = p.out;
    for (; groups > 0; --groups, group_src += kRows) {
        DenseVector sum[kRows][kVectors];
        const auto clear = [&]() HWY_ATTR {
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
        };
        const auto add_waiting = [&](std::size_t level) HWY_ATTR {
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    sum[r][v] = hn::Add(hn::Load(d, waiting.values[level][r][v]), sum[r][v]);
        };
        clear();
        for (std::size_t i = 0; i < shard_count; ++i) {
            clear();
            const auto first = static_cast<std::size_t>(shards[i].first);
            const float* HWY_RESTRICT src = group_src + first * p.src_step;
            const float* HWY_RESTRICT diff = p.diff + first * p.diff_step;
            for (int k = 0; k < shards[i].count; ++k, src += p.src_step, diff += p.diff_step) {
                DenseVector column[kVectors];
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    column[v] = hn::LoadU(d, diff + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
                for (int r = 0; r < kRows; ++r) {
                    const DenseVector row = hn::Set(d, src[r]);
#pragma GCC unroll 2
                    for (int v = 0; v < kVectors; ++v)
                        sum[r][v] = hn::MulAdd(row, column[v], sum[r][v]);
                }
            }
            std::size_t level = 0;
            for (; (i >> level & 1) != 0; ++level) add_waiting(level);
            if (i + 1 == shard_count) {
                // The last node of each level has no right neighbour from here on.
                for (; i >> level != 0; ++level)
                    if ((i >> level & 1) != 0) add_waiting(level);
                break;
            }
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    hn::Store(sum[r][v], d, waiting.values[level][r][v]);
        }
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r, out += p.out_row)
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v)
                hn::StoreU(sum[r][v], d, out + static_cast<std::size_t>(v) * lanes);
    }
}

using SumShards = void (*)(const ShardSum&, int);

template <int kVectors, int... kRows>
constexpr std::array<SumShards, sizeof...(kRows)> shard_sums(std::integer_sequence<int, kRows...>) {
    return {&sum_shards<kRows + 1, kVectors>...};
}
template <int kVectors>
inline constexpr auto kShardSums =
    shard_sums<kVectors>(std::make_integer_sequence<int, kGradientRows>());

HWY_ATTR inline void sum_shards_of_rows(ShardSum p, int rows, int vectors) {
    const auto& table = vectors == 2 ? kShardSums<2> : kShardSums<1>;
    const int groups = rows / kGradientRows, rest = rows % kGradientRows;
    if (groups > 0) table[kGradientRows - 1](p, groups);
    if (rest == 0) return;
    p.src += groups * kGradientRows;
    p.out += static_cast<std::size_t>(groups * kGradientRows) * p.out_row;
    table[static_cast<std::size_t>(rest - 1)](p, 1);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
