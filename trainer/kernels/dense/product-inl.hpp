// Products with their accumulators in registers. Included once for each instruction set, inside of
// a file that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_DENSE_PRODUCT) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DENSE_PRODUCT
#undef LOCKSTEP_DENSE_PRODUCT
#else
#define LOCKSTEP_DENSE_PRODUCT
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DenseTag = hn::ScalableTag<float>;
using DenseVector = hn::Vec<DenseTag>;

// Rows of accumulators, two vectors wide: enough chains to hide the latency of an addition, and
// they fit the registers (16 below AVX-512). More of them would not be faster: rows of src are
// often a power of two apart, and then share one set of the L1 cache.
inline constexpr int kDenseRows = HWY_MAX_BYTES >= 64 ? 8 : 6;

inline constexpr std::size_t kLineFloats = 16;

// Lines of b that a step over k reads, and the steps by which a group without others fetches them
// ahead: the processor's own streams end at every page.
template <int kVectors>
inline constexpr int kDenseLines = (kVectors * HWY_MAX_BYTES + 63) / 64;
inline constexpr std::size_t kDenseStepsAhead = 24;

// The first `count` floats, zeros behind them; reads and writes nothing else.
HWY_ATTR HWY_INLINE DenseVector load_first(const float* from, std::size_t count) {
    const DenseTag d;
    if (count >= hn::Lanes(d)) return hn::LoadU(d, from);
#if HWY_MEM_OPS_MIGHT_FAULT
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)] = {};
    std::copy_n(from, count, lanes);
    return hn::Load(d, lanes);
#else
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#endif
}
HWY_ATTR HWY_INLINE void store_first(DenseVector v, float* to, std::size_t count) {
    const DenseTag d;
    if (count >= hn::Lanes(d)) return hn::StoreU(v, d, to);
#if HWY_MEM_OPS_MIGHT_FAULT
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(v, d, lanes);
    std::copy_n(lanes, count, to);
#else
    hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#endif
}

// c[row][column] = start[row][column] + sum over k of a(row, k) * b[k][column], k ascending, one
// fused multiply-add a term: the same chain for every element, however rows and columns are
// grouped. Starting from c itself goes on with a chain.
struct DenseProduct {
    const float* a;  // a(row, k) = a[row * a_row + k]
    std::size_t a_row;
    const float* b;  // b[k][column] = b[k * b_step + column]
    std::size_t b_step;
    const float* next_b;  // what will be read after b; several groups have the time to fetch it
    int fetching_groups;  // that do, a line a step: set by dense_multiply_rows()
    const float* start;   // start[row * start_row + column]
    std::size_t start_row;
    float* c;  // c[row * c_row + column]
    std::size_t c_row;
    std::size_t columns;  // of start and c; b and the sums are whole vectors
    int depth;            // k
    bool has_relu;
};

// `groups` groups of kRows rows. Loops over rows and vectors are unrolled by order: only then do
// the sums stay in registers from the first to the last line.
template <int kRows, int kVectors, bool kIsAlone>
HWY_ATTR void dense_multiply(const DenseProduct& product, int groups) {
    const DenseProduct p = product;  // nobody writes to it while sums are stored
    const DenseTag d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t in_last = p.columns - (kVectors - 1) * lanes;
    const float* group_a = p.a;
    const float* group_start = p.start;
    float* group_c = p.c;
    const float* ahead = p.next_b;
    int fetching = p.fetching_groups;
    for (; groups > 0; --groups, --fetching) {
        const std::size_t ahead_step = fetching > 0 ? kLineFloats : 0;
        const float* HWY_RESTRICT a = group_a;
        const float* HWY_RESTRICT b = p.b;
        DenseVector sum[kRows][kVectors];
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            const float* start = group_start + static_cast<std::size_t>(r) * p.start_row;
            if constexpr (kVectors == 2) sum[r][0] = hn::LoadU(d, start);
            sum[r][kVectors - 1] = load_first(start + (kVectors - 1) * lanes, in_last);
        }
        for (int k = 0; k < p.depth; ++k, ++a, b += p.b_step, ahead += ahead_step) {
            if constexpr (kIsAlone) {
                const float* later = b + kDenseStepsAhead * p.b_step;
                for (int line = 0; line < kDenseLines<kVectors>; ++line)
                    hwy::Prefetch(later + static_cast<std::size_t>(line) * kLineFloats);
            } else {
                hwy::Prefetch(ahead);
            }
            DenseVector column[kVectors];
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v)
                column[v] = hn::LoadU(d, b + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r) {
                const DenseVector row = hn::Set(d, a[static_cast<std::size_t>(r) * p.a_row]);
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v)
                    sum[r][v] = hn::MulAdd(row, column[v], sum[r][v]);
            }
        }
        if (p.has_relu) {
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
                for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Max(sum[r][v], hn::Zero(d));
        }
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            float* to = group_c + static_cast<std::size_t>(r) * p.c_row;
            if constexpr (kVectors == 2) hn::StoreU(sum[r][0], d, to);
            store_first(sum[r][kVectors - 1], to + (kVectors - 1) * lanes, in_last);
        }
        group_a += kRows * p.a_row;
        group_start += kRows * p.start_row;
        group_c += kRows * p.c_row;
    }
}

using DenseMultiply = void (*)(const DenseProduct&, int);

template <int kVectors, bool kIsAlone, int... kRows>
constexpr std::array<DenseMultiply, sizeof...(kRows)> dense_multiplies(
    std::integer_sequence<int, kRows...>) {
    return {&dense_multiply<kRows + 1, kVectors, kIsAlone>...};
}
template <int kVectors, bool kIsAlone>
inline constexpr auto kDenseMultiplies =
    dense_multiplies<kVectors, kIsAlone>(std::make_integer_sequence<int, kDenseRows>());

// All `rows` rows of a product, in groups of like size.
template <int kVectors>
HWY_ATTR void dense_multiply_groups(DenseProduct p, int rows) {
    const int groups = (rows + kDenseRows - 1) / kDenseRows;
    if (groups == 1)
        return kDenseMultiplies<kVectors, true>[static_cast<std::size_t>(rows - 1)](p, 1);
    const auto& table = kDenseMultiplies<kVectors, false>;
    const int small = rows / groups, larger = rows % groups;  // groups with a row more
    p.fetching_groups = kDenseLines<kVectors>;
    if (larger > 0) {
        table[static_cast<std::size_t>(small)](p, larger);
        const auto done = static_cast<std::size_t>(larger * (small + 1));
        p.a += done * p.a_row;
        p.start += done * p.start_row;
        p.c += done * p.c_row;
        p.next_b += static_cast<std::size_t>(larger * p.depth) * kLineFloats;
        p.fetching_groups -= larger;
    }
    table[static_cast<std::size_t>(small - 1)](p, groups - larger);
}

// A product that is `vectors` (1 or 2) vectors wide.
HWY_ATTR inline void dense_multiply_rows(const DenseProduct& p, int rows, int vectors) {
    if (vectors == 2)
        dense_multiply_groups<2>(p, rows);
    else
        dense_multiply_groups<1>(p, rows);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
