// The matrix products of one frequency, with their accumulators in registers. Included once for
// each instruction set, as transforms-inl.hpp.

#if defined(LOCKSTEP_WINOGRAD_PRODUCTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_PRODUCTS
#undef LOCKSTEP_WINOGRAD_PRODUCTS
#else
#define LOCKSTEP_WINOGRAD_PRODUCTS
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows of accumulators, two vectors wide, that fit the registers beside their operands: 32
// registers with AVX-512, 16 before.
inline constexpr int kMaxRows = HWY_MAX_BYTES >= 64 ? 14 : 6;

// c[row][column] (+)= sum over k of a(row, k) * b[k][column], k ascending from zero, one fused
// multiply-add a term: the same chain for every element, however rows are grouped.
struct Product {
    const float* a;  // a(row, k) = a[row * a_row + k * a_step]
    std::size_t a_row, a_step;
    const float* b;  // b[k][column] = b[k * b_step + column]
    std::size_t b_step;
    float* c;  // c[row * c_row + column]
    std::size_t c_row;
    int depth;  // k
    bool adds;  // the sum to what c holds
};

// Loops over rows and vectors are unrolled by order: only then do the sums stay in registers from
// the first to the last line. kIsDense: rows of a are neighbours (a_row = 1).
template <int kRows, int kVectors, bool kIsDense>
HWY_ATTR void multiply(const Product& p) {
    const hn::ScalableTag<float> d;
    using Vector = hn::Vec<decltype(d)>;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t a_row = kIsDense ? 1 : p.a_row;
    const float* HWY_RESTRICT a = p.a;
    const float* HWY_RESTRICT b = p.b;
    Vector sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
    for (int k = 0; k < p.depth; ++k, a += p.a_step, b += p.b_step) {
        Vector column[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
            column[v] = hn::Load(d, b + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            const Vector row = hn::Set(d, a[static_cast<std::size_t>(r) * a_row]);
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(row, column[v], sum[r][v]);
        }
    }
    float* HWY_RESTRICT c = p.c;
    const bool adds = p.adds;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r, c += p.c_row)
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
            float* to = c + static_cast<std::size_t>(v) * lanes;
            hn::Store(adds ? hn::Add(hn::Load(d, to), sum[r][v]) : sum[r][v], d, to);
        }
}

using Multiply = void (*)(const Product&);

template <int kVectors, bool kIsDense, int... kRows>
constexpr std::array<Multiply, sizeof...(kRows)> multiplies(std::integer_sequence<int, kRows...>) {
    return {&multiply<kRows + 1, kVectors, kIsDense>...};
}
template <int kVectors, bool kIsDense>
inline constexpr auto kMultiplies =
    multiplies<kVectors, kIsDense>(std::make_integer_sequence<int, kMaxRows>());

// All `rows` rows of a product that is `vectors` (1 or 2) vectors wide, in groups of like size.
template <bool kIsDense>
HWY_ATTR void multiply_rows(Product p, int rows, int vectors) {
    const auto& table = vectors == 2 ? kMultiplies<2, kIsDense> : kMultiplies<1, kIsDense>;
    for (int groups = (rows + kMaxRows - 1) / kMaxRows; groups > 0; --groups) {
        const int count = (rows + groups - 1) / groups;
        table[static_cast<std::size_t>(count - 1)](p);
        rows -= count;
        p.a += static_cast<std::size_t>(count) * p.a_row;
        p.c += static_cast<std::size_t>(count) * p.c_row;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
