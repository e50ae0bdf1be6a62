// Windows of a pool, some side by side at once: what they wait for is then computed in turns.
// Included once for each instruction set, inside of a file that <hwy/foreach_target.h> includes
// again and again, hence no #pragma once.

#if defined(LOCKSTEP_POOLING_WINDOWS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_POOLING_WINDOWS
#undef LOCKSTEP_POOLING_WINDOWS
#else
#define LOCKSTEP_POOLING_WINDOWS
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trainer/kernels/pooling.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What windows of one row have in common. Distances are in floats of one block of channels.
struct WindowRow {
    std::ptrdiff_t src_row;  // from a pixel to the one below,
    std::ptrdiff_t step;     // from a window to the next,
    std::ptrdiff_t block;    // from a pixel to the next
    int rows, columns;       // of a window, as clipped at the borders
};

// Where the first of some windows side by side begins, and its output.
struct WindowPlace {
    std::ptrdiff_t src, dst;
};

// Layouts that take a float at a time are of odd numbers of channels in the first layers, where the
// general loop is quick enough: each loop by constants costs the compiler seconds.
template <class D>
inline constexpr bool kHasVectors = hn::MaxLanes(D()) > 1;

// Outputs side by side at once: their sums or greatest values with their places fit the registers.
template <class D>
inline constexpr int kMostOutputs = kHasVectors<D> ? 7 : 1;

// Pixels [begin, end) of the window number `at` along one axis.
struct ClippedSide {
    int begin, end;

    ClippedSide(const PoolingShape& s, std::size_t axis, int at) {
        const int first = at * s.strides[axis] - s.pad_before[axis];
        begin = std::max(first, 0);
        end = std::min(first + s.pool_size[axis], axis == 0 ? s.src.height : s.src.width);
    }
    int size() const { return end - begin; }
};

template <class D, int kOutputs, class Run>
HWY_ATTR HWY_INLINE void run_tile(const WindowRow& row, WindowPlace at, Run run) {
    using Outputs = std::integral_constant<int, kOutputs>;
    if constexpr (kHasVectors<D>) {
        if (row.rows == 2 && row.columns == 2)
            return run(Outputs(), std::integral_constant<int, 2>(), row, at);
        if (row.rows == 3 && row.columns == 3)
            return run(Outputs(), std::integral_constant<int, 3>(), row, at);
    }
    run(Outputs(), std::integral_constant<int, 0>(), row, at);
}

template <class D, int kOutputs = kMostOutputs<D>, class Run>
HWY_ATTR HWY_INLINE void run_outputs(int outputs, const WindowRow& row, WindowPlace at, Run run) {
    if (outputs == kOutputs) return run_tile<D, kOutputs>(row, at, run);
    if constexpr (kOutputs > 1) run_outputs<D, kOutputs - 1>(outputs, row, at, run);
}

// The columns of windows, from left to right: those of full width have their neighbours' places,
// those that the border clips are alone.
struct FullColumns {
    int begin = 0, end = 0;

    explicit FullColumns(const PoolingShape& s) {
        const auto is_full = [&](int x) { return ClippedSide(s, 1, x).size() == s.pool_size[1]; };
        while (begin < s.dst.width && !is_full(begin)) ++begin;
        end = begin;
        while (end < s.dst.width && is_full(end)) ++end;
    }
};

// All windows of one row of outputs, of one vector of channels.
//   first   where their rows begin
template <class D, class Run>
HWY_ATTR HWY_INLINE void for_each_tile_of_row(const PoolingShape& s, const FullColumns& full,
                                              const WindowRow& row, WindowPlace first, Run run) {
    const std::ptrdiff_t block = row.block, step = row.step;
    const std::ptrdiff_t pad = std::ptrdiff_t{s.pad_before[1]} * block;
    const auto run_clipped = [&](int x) HWY_ATTR {
        const ClippedSide columns(s, 1, x);
        WindowRow clipped = row;
        clipped.columns = columns.size();
        run_tile<D, 1>(clipped, {first.src + columns.begin * block, first.dst + x * block}, run);
    };
    int x = 0;
    for (; x < full.begin; ++x) run_clipped(x);
    constexpr int kMost = kMostOutputs<D>;
    for (int tiles = (full.end - x + kMost - 1) / kMost; tiles > 0; --tiles) {
        const int outputs = (full.end - x + tiles - 1) / tiles;  // of like size
        run_outputs<D>(outputs, row, {first.src + x * step - pad, first.dst + x * block}, run);
        x += outputs;
    }
    for (; x < s.dst.width; ++x) run_clipped(x);
}

// Calls run(number of windows, rows and columns of each or 0, row, place) for all windows of one
// block of channels of one sample: row by row from left to right. Both numbers are constants.
//   begin   begin(rows of the source) that windows so far reach: before each row of windows, and
//           with all rows at the end
template <class D, class Begin, class Run>
HWY_ATTR HWY_INLINE void for_each_tile(D d, const PoolingShape& s, Begin begin, Run run) {
    const int block = s.src.block, lanes = static_cast<int>(hn::Lanes(d));
    const FullColumns full(s);
    for (int y = 0; y < s.dst.height; ++y) {
        const ClippedSide rows(s, 0, y);
        begin(rows.end);
        const std::ptrdiff_t src_row = std::ptrdiff_t{s.src.width} * block;
        const WindowRow row{.src_row = src_row,
                            .step = std::ptrdiff_t{s.strides[1]} * block,
                            .block = block,
                            .rows = rows.size(),
                            .columns = s.pool_size[1]};
        WindowPlace first{rows.begin * src_row, std::ptrdiff_t{y} * s.dst.width * block};
        for (int v = 0; v < block; v += lanes, first.src += lanes, first.dst += lanes)
            for_each_tile_of_row<D>(s, full, row, first, run);
    }
    begin(s.src.height);
}

// Writes zeros into the rows of a gradient, each before the first window that adds to it, while it
// stays in the cache.
class RowsOfZeros {
public:
    RowsOfZeros(const PoolingShape& s, bool is_needed, float* rows)
        : floats_(static_cast<std::size_t>(s.src.width) * static_cast<std::size_t>(s.src.block)),
          is_needed_(is_needed),
          rows_(rows) {}
    void operator()(int end) {
        if (!is_needed_ || end <= done_) return;
        std::fill_n(rows_ + static_cast<std::size_t>(done_) * floats_,
                    static_cast<std::size_t>(end - done_) * floats_, 0.0F);
        done_ = end;
    }

private:
    std::size_t floats_;
    bool is_needed_;
    float* rows_;
    int done_ = 0;
};

template <int kOutputs, int kSize, class D>
HWY_ATTR HWY_INLINE void max_forward(D d, const WindowRow& t, WindowPlace at,
                                     const float* HWY_RESTRICT src, float* HWY_RESTRICT dst,
                                     PlaceInWindow* HWY_RESTRICT places) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PlaceInWindow, D> d_place;
    const int rows = kSize > 0 ? kSize : t.rows, columns = kSize > 0 ? kSize : t.columns;
    hn::Vec<D> best[kOutputs];
    hn::Vec<decltype(di)> place[kOutputs];
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i) {
        best[i] = hn::LoadU(d, src + at.src + i * t.step);
        place[i] = hn::Zero(di);
    }
    for (int row = 0, index = 0; row < rows; ++row) {
        const float* HWY_RESTRICT pixel = src + at.src + row * t.src_row;
        for (int column = 0; column < columns; ++column, ++index, pixel += t.block) {
            const auto here = hn::Set(di, index);
#pragma GCC unroll 7
            for (int i = 0; i < kOutputs; ++i) {
                const auto value = hn::LoadU(d, pixel + i * t.step);
                const auto is_more = hn::Gt(value, best[i]);  // strictly: ties keep the first
                best[i] = hn::Max(value, best[i]);            // the second of equals, and of NaN
                place[i] = hn::IfThenElse(hn::RebindMask(di, is_more), here, place[i]);
            }
        }
    }
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i) {
        hn::StoreU(best[i], d, dst + at.dst + i * t.block);
        hn::StoreU(hn::DemoteTo(d_place, place[i]), d_place, places + at.dst + i * t.block);
    }
}

// kWindows windows a stride of kStride apart, one row of them: each pixel is read and written once,
// and gets part(window, column in it, pixel) of all that hold it, in their order.
template <int kWindows, int kSize, int kStride, class D, class Part>
HWY_ATTR HWY_INLINE void add_to_row(D d, float* HWY_RESTRICT pixels, std::ptrdiff_t block,
                                    Part part) {
#pragma GCC unroll 15
    for (int pixel = 0; pixel < (kWindows - 1) * kStride + kSize; ++pixel) {
        auto sum = hn::LoadU(d, pixels + pixel * block);
#pragma GCC unroll 7
        for (int window = 0; window < kWindows; ++window) {
            const int column = pixel - window * kStride;
            if (0 <= column && column < kSize) sum = hn::Add(sum, part(window, column, pixel));
        }
        hn::StoreU(sum, d, pixels + pixel * block);
    }
}

// add(kSize, kStride) by constants, for the usual windows that overlap; false: for others.
template <int kSize, class Add>
HWY_ATTR HWY_INLINE bool adds_by_rows(const WindowRow& t, Add add) {
    if constexpr (kSize > 0) {
        using Size = std::integral_constant<int, kSize>;
        if (t.step == t.block) {
            add(Size(), std::integral_constant<int, 1>());
            return true;
        }
        if (kSize == 3 && t.step == 2 * t.block) {
            add(Size(), std::integral_constant<int, 2>());
            return true;
        }
    }
    return false;
}

// kAdds: windows overlap; else each pixel is written once. Columns go back, so that a pixel's
// gradients are added in the order of its windows.
template <int kOutputs, int kSize, bool kAdds, bool kHasRelu, class D>
HWY_ATTR HWY_INLINE void max_backward(D d, const WindowRow& t, WindowPlace at,
                                      const float* HWY_RESTRICT diff_dst,
                                      const PlaceInWindow* HWY_RESTRICT places,
                                      const float* HWY_RESTRICT relu_src,
                                      float* HWY_RESTRICT diff_src) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PlaceInWindow, D> d_place;
    const int rows = kSize > 0 ? kSize : t.rows, columns = kSize > 0 ? kSize : t.columns;
    hn::Vec<D> gradient[kOutputs];
    hn::Vec<decltype(di)> place[kOutputs];
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i) {
        gradient[i] = hn::LoadU(d, diff_dst + at.dst + i * t.block);
        place[i] = hn::PromoteTo(di, hn::LoadU(d_place, places + at.dst + i * t.block));
    }
    if (kAdds && adds_by_rows<kSize>(t, [&](auto size, auto stride) HWY_ATTR {
            for (int row = 0; row < rows; ++row) {
                const std::ptrdiff_t first = at.src + row * t.src_row;
                add_to_row<kOutputs, size(), stride()>(
                    d, diff_src + first, t.block, [&](int window, int column, int pixel) HWY_ATTR {
                        const auto here = hn::Set(di, row * columns + column);
                        auto is_here = hn::RebindMask(d, hn::Eq(place[window], here));
                        if constexpr (kHasRelu) {
                            const auto src = hn::LoadU(d, relu_src + first + pixel * t.block);
                            is_here = hn::And(is_here, hn::Gt(src, hn::Zero(d)));
                        }
                        return hn::IfThenElseZero(is_here, gradient[window]);
                    });
            }
        }))
        return;
    for (int row = 0; row < rows; ++row)
        for (int column = columns - 1; column >= 0; --column) {
            const auto here = hn::Set(di, row * columns + column);
            const std::ptrdiff_t pixel = at.src + row * t.src_row + column * t.block;
#pragma GCC unroll 7
            for (int i = 0; i < kOutputs; ++i) {
                const std::ptrdiff_t p = pixel + i * t.step;
                auto is_here = hn::RebindMask(d, hn::Eq(place[i], here));
                if constexpr (kHasRelu)
                    is_here = hn::And(is_here, hn::Gt(hn::LoadU(d, relu_src + p), hn::Zero(d)));
                auto value = hn::IfThenElseZero(is_here, gradient[i]);
                if constexpr (kAdds) value = hn::Add(value, hn::LoadU(d, diff_src + p));
                hn::StoreU(value, d, diff_src + p);
            }
        }
}

template <int kOutputs, int kSize, class D>
HWY_ATTR HWY_INLINE void average_forward(D d, const WindowRow& t, WindowPlace at,
                                         const float* HWY_RESTRICT src, float* HWY_RESTRICT dst) {
    const int rows = kSize > 0 ? kSize : t.rows, columns = kSize > 0 ? kSize : t.columns;
    hn::Vec<D> sum[kOutputs];
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i) sum[i] = hn::Zero(d);
    for (int row = 0; row < rows; ++row) {
        const float* HWY_RESTRICT pixel = src + at.src + row * t.src_row;
        for (int column = 0; column < columns; ++column, pixel += t.block)
#pragma GCC unroll 7
            for (int i = 0; i < kOutputs; ++i)
                sum[i] = hn::Add(sum[i], hn::LoadU(d, pixel + i * t.step));
    }
    const auto count = hn::Set(d, static_cast<float>(rows * columns));
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i)
        hn::StoreU(hn::Div(sum[i], count), d, dst + at.dst + i * t.block);
}

// As max_backward().
template <int kOutputs, int kSize, bool kAdds, class D>
HWY_ATTR HWY_INLINE void average_backward(D d, const WindowRow& t, WindowPlace at,
                                          const float* HWY_RESTRICT diff_dst,
                                          float* HWY_RESTRICT diff_src) {
    const int rows = kSize > 0 ? kSize : t.rows, columns = kSize > 0 ? kSize : t.columns;
    const auto count = hn::Set(d, static_cast<float>(rows * columns));
    hn::Vec<D> share[kOutputs];
#pragma GCC unroll 7
    for (int i = 0; i < kOutputs; ++i)
        share[i] = hn::Div(hn::LoadU(d, diff_dst + at.dst + i * t.block), count);
    if (kAdds && adds_by_rows<kSize>(t, [&](auto size, auto stride) HWY_ATTR {
            for (int row = 0; row < rows; ++row)
                add_to_row<kOutputs, size(), stride()>(
                    d, diff_src + at.src + row * t.src_row, t.block,
                    [&](int window, int, int) HWY_ATTR { return share[window]; });
        }))
        return;
    for (int row = 0; row < rows; ++row)
        for (int column = columns - 1; column >= 0; --column) {
            float* HWY_RESTRICT pixel = diff_src + at.src + row * t.src_row + column * t.block;
#pragma GCC unroll 7
            for (int i = 0; i < kOutputs; ++i) {
                float* p = pixel + i * t.step;
                hn::StoreU(kAdds ? hn::Add(hn::LoadU(d, p), share[i]) : share[i], d, p);
            }
        }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
