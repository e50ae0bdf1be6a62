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

// The sums of one group of features, in registers: all functions are put where they are called, and
// their loops unrolled.
template <int kRows, int kVectors>
struct GroupSum {
    DenseVector sum[kRows][kVectors];

    template <class Body>
    HWY_ATTR HWY_INLINE void for_each(Body body) {
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) body(sum[r][v], r, v);
    }
    HWY_ATTR HWY_INLINE void clear() {
        for_each([](DenseVector& s, int, int) HWY_ATTR { s = hn::Zero(DenseTag()); });
    }
    HWY_ATTR HWY_INLINE void add_samples(const ShardSum& p, const float* HWY_RESTRICT src,
                                         const float* HWY_RESTRICT diff, int samples) {
        const DenseTag d;
        for (int k = 0; k < samples; ++k, src += p.src_step, diff += p.diff_step) {
            DenseVector column[kVectors];
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v)
                column[v] = hn::LoadU(d, diff + static_cast<std::size_t>(v) * hn::Lanes(d));
            for_each([&](DenseVector& s, int r, int v)
                         HWY_ATTR { s = hn::MulAdd(hn::Set(d, src[r]), column[v], s); });
        }
    }
};

// Sums of complete nodes that wait for their right neighbours, one a level: level l is taken while
// bit l of the number of shards so far is set, as in a binary counter.
template <int kRows, int kVectors>
class WaitingSums {
public:
    using Sum = GroupSum<kRows, kVectors>;
    HWY_ATTR HWY_INLINE void put(std::size_t level, Sum& sum) {
        sum.for_each([&](DenseVector& s, int r, int v)
                         HWY_ATTR { hn::Store(s, DenseTag(), values_[level][r][v]); });
    }
    HWY_ATTR HWY_INLINE void add_to(Sum& sum, std::size_t level) const {
        sum.for_each([&](DenseVector& s, int r, int v)
                         HWY_ATTR { s = hn::Add(hn::Load(DenseTag(), values_[level][r][v]), s); });
    }

private:
    HWY_ALIGN float values_[kTreeLevels][kRows][kVectors][HWY_MAX_BYTES / sizeof(float)];
};

// `groups` groups of kRows features.
template <int kRows, int kVectors>
HWY_ATTR void sum_shards(const ShardSum& whole, int groups) {
    const ShardSum p = whole;  // nobody writes to it while sums are stored
    const SampleRange* HWY_RESTRICT shards = p.shards.data();
    const std::size_t count = p.shards.size();
    const float* HWY_RESTRICT group_src = p.src;
    float* HWY_RESTRICT out = p.out;
    WaitingSums<kRows, kVectors> waiting;
    for (; groups > 0; --groups, group_src += kRows) {
        GroupSum<kRows, kVectors> sum;
        sum.clear();
        for (std::size_t i = 0; i < count; ++i) {
            const auto first = static_cast<std::size_t>(shards[i].first);
            sum.clear();
            sum.add_samples(p, group_src + first * p.src_step, p.diff + first * p.diff_step,
                            shards[i].count);
            std::size_t level = 0;
            for (; (i >> level & 1) != 0; ++level) waiting.add_to(sum, level);
            if (i + 1 < count) {
                waiting.put(level, sum);
                continue;
            }
            // The last node of each level has no right neighbour from here on.
            for (; i >> level != 0; ++level)
                if ((i >> level & 1) != 0) waiting.add_to(sum, level);
        }
        sum.for_each([&](DenseVector& s, int, int v) HWY_ATTR {
            hn::StoreU(s, DenseTag(), out + static_cast<std::size_t>(v) * hn::Lanes(DenseTag()));
            if (v + 1 == kVectors) out += p.out_row;
        });
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
