// Transposition of small matrices. Included once for each instruction set, as product-inl.hpp.

#if defined(LOCKSTEP_DENSE_TRANSPOSE) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DENSE_TRANSPOSE
#undef LOCKSTEP_DENSE_TRANSPOSE
#else
#define LOCKSTEP_DENSE_TRANSPOSE
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using TransposeTag = hn::ScalableTag<float>;

#if HWY_TARGET != HWY_SCALAR
inline constexpr int kColumnsAtOnce = 4;

// Four values from each of as many rows as a vector has blocks of four, `distance` apart.
HWY_ATTR HWY_INLINE hn::Vec<TransposeTag> load_blocks(const float* from, std::size_t distance) {
    const TransposeTag d;
#if HWY_MAX_BYTES >= 64
    const hn::Half<TransposeTag> half;
    const hn::Half<decltype(half)> block;
    const auto two = [&](const float* first) HWY_ATTR {
        return hn::Combine(half, hn::LoadU(block, first + distance), hn::LoadU(block, first));
    };
    return hn::Combine(d, two(from + 2 * distance), two(from));
#elif HWY_MAX_BYTES >= 32
    const hn::Half<TransposeTag> block;
    return hn::Combine(d, hn::LoadU(block, from + distance), hn::LoadU(block, from));
#else
    static_cast<void>(distance);  // there is one block
    return hn::LoadU(d, from);
#endif
}

// to[column][row] = from[row][column] of four columns and one vector of rows.
HWY_ATTR HWY_INLINE void transpose_vectors(const float* HWY_RESTRICT from, std::size_t from_step,
                                           float* HWY_RESTRICT to, std::size_t to_step) {
    const TransposeTag d;
    const hn::RepartitionToWide<decltype(d)> pairs;
    const auto row0 = load_blocks(from, 4 * from_step),
               row1 = load_blocks(from + from_step, 4 * from_step),
               row2 = load_blocks(from + 2 * from_step, 4 * from_step),
               row3 = load_blocks(from + 3 * from_step, 4 * from_step);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1)),
               high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1)),
               low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3)),
               high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
    const auto store = [&](auto column, std::size_t i)
                           HWY_ATTR { hn::StoreU(hn::BitCast(d, column), d, to + i * to_step); };
    store(hn::InterleaveLower(pairs, low01, low23), 0);
    store(hn::InterleaveUpper(pairs, low01, low23), 1);
    store(hn::InterleaveLower(pairs, high01, high23), 2);
    store(hn::InterleaveUpper(pairs, high01, high23), 3);
}
#else  // no blocks of four
inline constexpr int kColumnsAtOnce = 1;

inline void transpose_vectors(const float* from, std::size_t, float* to, std::size_t) {
    *to = *from;
}
#endif

// to[column][row] = from[row][column].
HWY_ATTR inline void transpose(const float* from, std::size_t from_step, int rows, int columns,
                               float* to, std::size_t to_step) {
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const int lanes = static_cast<int>(hn::Lanes(TransposeTag()));
    const int whole_rows = rows / lanes * lanes;
    const int whole_columns = columns / kColumnsAtOnce * kColumnsAtOnce;
    for (int r = 0; r < whole_rows; r += lanes)
        for (int c = 0; c < whole_columns; c += kColumnsAtOnce)
            transpose_vectors(from + size(r) * from_step + size(c), from_step,
                              to + size(c) * to_step + size(r), to_step);
    for (int r = 0; r < rows; ++r)
        for (int c = r < whole_rows ? whole_columns : 0; c < columns; ++c)
            to[size(c) * to_step + size(r)] = from[size(r) * from_step + size(c)];
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
