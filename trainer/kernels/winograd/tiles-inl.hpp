// Tiles of images <-> their frequencies. Included once for each instruction set, as
// transforms-inl.hpp.

#if defined(LOCKSTEP_WINOGRAD_TILES) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_TILES
#undef LOCKSTEP_WINOGRAD_TILES
#else
#define LOCKSTEP_WINOGRAD_TILES
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

// kRows x kColumns points of a tile, five or six each, of filters of kTaps x kTaps.
template <int kTapsOf, int kRowsOf, int kColumnsOf>
struct TileKind {
    static constexpr int kTaps = kTapsOf, kRows = kRowsOf, kColumns = kColumnsOf;
    static constexpr int kOutRows = kRows - kTaps + 1, kOutColumns = kColumns - kTaps + 1;
    static constexpr int kPoints = kTaps + 3;  // of the largest tile: a row of frequencies
};

// Where a tile's frequencies stand. Those of the sixth point are kept for the tiles that have them
// alone, without gaps: so a tile has other places among them.
struct Frequencies {
    float* all;
    float *six_columns, *six_rows, *six_both;
    std::size_t step;  // floats from one frequency to the next

    template <class Kind>
    HWY_INLINE float* at(int row, int column) const {
        float* from =
            row < 5 ? (column < 5 ? all : six_columns) : (column < 5 ? six_rows : six_both);
        return from + size(row * Kind::kPoints + column) * step;
    }
    Frequencies shifted(std::size_t floats) const {
        return {all + floats, six_columns + floats, six_rows + floats, six_both + floats, step};
    }
};

// The pixels of one tile in one plane of channels, cut off at the plane's ends.
struct TileView {
    int top, left;      // may be negative
    int height, width;  // of the plane
    std::size_t block;

    std::size_t row(int y) const { return size(top + y) * size(width) * block; }
    std::size_t column(int x) const { return size(left + x) * block; }
    bool has_row(int y) const { return top + y >= 0 && top + y < height; }
    bool has_column(int x) const { return left + x >= 0 && left + x < width; }
    bool has_all(int rows, int columns) const {
        return has_row(0) && has_column(0) && has_row(rows - 1) && has_column(columns - 1);
    }
};

// Stores the rows of a transformed tile, as the second of its two one-dimensional transforms.
template <class Kind, int kWidth, class Transform>
HWY_INLINE HWY_ATTR void store_rows(const V (&t)[Kind::kRows][kWidth], const Frequencies& to,
                                    Transform transform) {
    const D d;
#pragma GCC unroll 6
    for (int i = 0; i < Kind::kRows; ++i) {
        V y[Kind::kColumns];
        transform(t[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < Kind::kColumns; ++j) hn::Store(y[j], d, to.at<Kind>(i, j));
    }
}

// V = B^T d B. Rows outside of the image are read from `zeros`, columns left out.
template <class Kind, bool kIsInside>
HWY_INLINE HWY_ATTR void input_tile(const TileView& view, const float* plane, const float* zeros,
                                    const Frequencies& to) {
    const D d;
    const float* rows[Kind::kRows];
#pragma GCC unroll 6
    for (int i = 0; i < Kind::kRows; ++i)
        rows[i] = kIsInside || view.has_row(i) ? plane + view.row(i) : zeros;
    V t[Kind::kRows][Kind::kColumns];
#pragma GCC unroll 6
    for (int j = 0; j < Kind::kColumns; ++j) {
        V x[Kind::kRows], y[Kind::kRows];
        if (kIsInside || view.has_column(j)) {
#pragma GCC unroll 6
            for (int i = 0; i < Kind::kRows; ++i) x[i] = hn::Load(d, rows[i] + view.column(j));
            transform_input(x, y);
        } else {
#pragma GCC unroll 6
            for (int i = 0; i < Kind::kRows; ++i) y[i] = hn::Zero(d);
        }
#pragma GCC unroll 6
        for (int i = 0; i < Kind::kRows; ++i) t[i][j] = y[i];
    }
    store_rows<Kind>(t, to, [](const V(&x)[Kind::kColumns], V(&y)[Kind::kColumns]) HWY_ATTR {
        transform_input(x, y);
    });
}

// Z = A (tile of diff_dst) A^T, with diff_dst zero where `relu_dst` is not positive, if there is
// one. Returns the sum of the tile's pixels.
template <class Kind, bool kIsInside, bool kHasRelu>
HWY_INLINE HWY_ATTR V gradient_tile(const TileView& view, const float* plane,
                                    const float* relu_plane, const Frequencies& to) {
    const D d;
    V t[Kind::kRows][Kind::kOutColumns];
    V sum = hn::Zero(d);
#pragma GCC unroll 4
    for (int j = 0; j < Kind::kOutColumns; ++j) {
        V x[Kind::kOutRows], y[Kind::kRows];
#pragma GCC unroll 4
        for (int i = 0; i < Kind::kOutRows; ++i) {
            x[i] = hn::Zero(d);
            if (!kIsInside && !(view.has_row(i) && view.has_column(j))) continue;
            x[i] = hn::Load(d, plane + view.row(i) + view.column(j));
            if constexpr (kHasRelu)
                x[i] = hn::IfThenElseZero(
                    hn::Gt(hn::Load(d, relu_plane + view.row(i) + view.column(j)), hn::Zero(d)),
                    x[i]);
        }
        V column = hn::Add(x[0], x[1]);
#pragma GCC unroll 4
        for (int i = 2; i < Kind::kOutRows; ++i) column = hn::Add(column, x[i]);
        sum = hn::Add(sum, column);
        transform_gradient(x, y);
#pragma GCC unroll 6
        for (int i = 0; i < Kind::kRows; ++i) t[i][j] = y[i];
    }
    store_rows<Kind>(t, to, [](const V(&x)[Kind::kOutColumns], V(&y)[Kind::kColumns]) HWY_ATTR {
        transform_gradient(x, y);
    });
    return sum;
}

// y = A^T M A + bias of one tile, cut off at the image's end.
template <class Kind, bool kHasRelu>
HWY_INLINE HWY_ATTR void output_tile(const TileView& view, const Frequencies& from, V bias,
                                     float* HWY_RESTRICT plane) {
    const D d;
    V t[Kind::kOutRows][Kind::kColumns];
#pragma GCC unroll 6
    for (int j = 0; j < Kind::kColumns; ++j) {
        V x[Kind::kRows], y[Kind::kOutRows];
#pragma GCC unroll 6
        for (int i = 0; i < Kind::kRows; ++i) x[i] = hn::Load(d, from.at<Kind>(i, j));
        transform_output(x, hn::Zero(d), y);
#pragma GCC unroll 4
        for (int i = 0; i < Kind::kOutRows; ++i) t[i][j] = y[i];
    }
    const int height = std::min(Kind::kOutRows, view.height - view.top);
    const int width = std::min(Kind::kOutColumns, view.width - view.left);
#pragma GCC unroll 4
    for (int i = 0; i < Kind::kOutRows; ++i) {
        if (i >= height) break;
        V y[Kind::kOutColumns];
        transform_output(t[i], bias, y);
#pragma GCC unroll 4
        for (int j = 0; j < Kind::kOutColumns; ++j)
            if (j < width)
                hn::Store(kHasRelu ? hn::Max(y[j], hn::Zero(d)) : y[j], d,
                          plane + view.row(i) + view.column(j));
    }
}

// Adds B X B^T to the tile's pixels, which the next ones overlap by kTaps - 1 rows and columns: the
// first so many are added to, the others written. Cut off at the image's ends.
template <class Kind, bool kIsInside>
HWY_INLINE HWY_ATTR void input_gradient_tile(const TileView& view, const Frequencies& from,
                                             float* HWY_RESTRICT plane) {
    const D d;
    V t[Kind::kRows][Kind::kColumns];
#pragma GCC unroll 6
    for (int j = 0; j < Kind::kColumns; ++j) {
        V x[Kind::kRows], y[Kind::kRows];
#pragma GCC unroll 6
        for (int i = 0; i < Kind::kRows; ++i) x[i] = hn::Load(d, from.at<Kind>(i, j));
        transform_input_gradient(x, y);
#pragma GCC unroll 6
        for (int i = 0; i < Kind::kRows; ++i) t[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < Kind::kRows; ++i) {
        if (!kIsInside && !view.has_row(i)) continue;
        V y[Kind::kColumns];
        transform_input_gradient(t[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < Kind::kColumns; ++j) {
            if (!kIsInside && !view.has_column(j)) continue;
            float* to = plane + view.row(i) + view.column(j);
            const bool adds = std::min(i, j) < Kind::kTaps - 1;
            hn::Store(adds ? hn::Add(hn::Load(d, to), y[j]) : y[j], d, to);
        }
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
