#include "trainer/kernels/pooling.hpp"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/pooling.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// The pixels of one window, clipped at the borders: rows [top, bottom), columns [left, right).
struct ClippedWindow {
    int top, bottom, left, right;
};

inline ClippedWindow window_at(const PoolingShape& s, int oh, int ow) {
    const int top = oh * s.strides[0] - s.pad_before[0];
    const int left = ow * s.strides[1] - s.pad_before[1];
    return {std::max(top, 0), std::min(top + s.pool_size[0], s.src.height), std::max(left, 0),
            std::min(left + s.pool_size[1], s.src.width)};
}

// One channel block of one sample. kSize: the rows and columns of every window, where that is known
// (most pools are 2 x 2) and none is clipped, so that the loops over a window unroll; 0: any.
template <int kSize, class D>
HWY_ATTR void max_forward_block(D d, const PoolingShape& s, const float* HWY_RESTRICT src,
                                float* HWY_RESTRICT dst, PlaceInWindow* HWY_RESTRICT places) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PlaceInWindow, D> d_place;
    const int block = s.src.block, lanes = static_cast<int>(hn::Lanes(d));
    for (int oh = 0; oh < s.dst.height; ++oh) {
        for (int ow = 0; ow < s.dst.width; ++ow) {
            const ClippedWindow w = window_at(s, oh, ow);
            const int rows = kSize > 0 ? kSize : w.bottom - w.top;
            const int columns = kSize > 0 ? kSize : w.right - w.left;
            const std::ptrdiff_t out = std::ptrdiff_t{oh * s.dst.width + ow} * block;
            for (int v = 0; v < block; v += lanes) {
                const float* first = src + std::ptrdiff_t{w.top * s.src.width + w.left} * block + v;
                auto best = hn::LoadU(d, first);
                auto place = hn::Zero(di);
                for (int row = 0; row < rows; ++row) {
                    const float* pixels = first + std::ptrdiff_t{row} * s.src.width * block;
                    for (int column = 0; column < columns; ++column) {
                        const auto value = hn::LoadU(d, pixels + std::ptrdiff_t{column} * block);
                        const auto is_more = hn::Gt(value, best);  // strictly: ties keep the first
                        const auto here = hn::Set(di, row * columns + column);
                        best = hn::IfThenElse(is_more, value, best);
                        place = hn::IfThenElse(hn::RebindMask(di, is_more), here, place);
                    }
                }
                hn::StoreU(best, d, dst + out + v);
                hn::StoreU(hn::DemoteTo(d_place, place), d_place, places + out + v);
            }
        }
    }
}

// Windows that do not overlap write each pixel once; others add up.
template <int kSize, bool kOverlaps, class D>
HWY_ATTR void max_backward_block(D d, const PoolingShape& s, const float* HWY_RESTRICT diff_dst,
                                 const PlaceInWindow* HWY_RESTRICT places,
                                 const float* HWY_RESTRICT relu_src, float* HWY_RESTRICT diff_src) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PlaceInWindow, D> d_place;
    const int block = s.src.block, lanes = static_cast<int>(hn::Lanes(d));
    const auto zero = hn::Zero(d);
    for (int oh = 0; oh < s.dst.height; ++oh) {
        for (int ow = 0; ow < s.dst.width; ++ow) {
            const ClippedWindow w = window_at(s, oh, ow);
            const int rows = kSize > 0 ? kSize : w.bottom - w.top;
            const int columns = kSize > 0 ? kSize : w.right - w.left;
            const std::ptrdiff_t out = std::ptrdiff_t{oh * s.dst.width + ow} * block;
            const std::ptrdiff_t first = std::ptrdiff_t{w.top * s.src.width + w.left} * block;
            for (int v = 0; v < block; v += lanes) {
                const auto gradient = hn::LoadU(d, diff_dst + out + v);
                const auto place = hn::PromoteTo(di, hn::LoadU(d_place, places + out + v));
                for (int row = 0; row < rows; ++row) {
                    for (int column = 0; column < columns; ++column) {
                        const std::ptrdiff_t at =
                            first + std::ptrdiff_t{row * s.src.width + column} * block + v;
                        const auto here = hn::Set(di, row * columns + column);
                        auto is_here = hn::RebindMask(d, hn::Eq(place, here));
                        if (relu_src != nullptr)
                            is_here = hn::And(is_here, hn::Gt(hn::LoadU(d, relu_src + at), zero));
                        auto value = hn::IfThenElseZero(is_here, gradient);
                        if constexpr (kOverlaps)
                            value = hn::Add(value, hn::LoadU(d, diff_src + at));
                        hn::StoreU(value, d, diff_src + at);
                    }
                }
            }
        }
    }
}

template <class D>
HWY_ATTR void average_forward_block(D d, const PoolingShape& s, const float* HWY_RESTRICT src,
                                    float* HWY_RESTRICT dst) {
    const int block = s.src.block, lanes = static_cast<int>(hn::Lanes(d));
    for (int oh = 0; oh < s.dst.height; ++oh) {
        for (int ow = 0; ow < s.dst.width; ++ow) {
            const ClippedWindow w = window_at(s, oh, ow);
            const auto count =
                hn::Set(d, static_cast<float>((w.bottom - w.top) * (w.right - w.left)));
            for (int v = 0; v < block; v += lanes) {
                auto sum = hn::Zero(d);
                for (int h = w.top; h < w.bottom; ++h)
                    for (int x = w.left; x < w.right; ++x)
                        sum = hn::Add(
                            sum,
                            hn::LoadU(d, src + std::ptrdiff_t{h * s.src.width + x} * block + v));
                hn::StoreU(hn::Div(sum, count), d,
                           dst + std::ptrdiff_t{oh * s.dst.width + ow} * block + v);
            }
        }
    }
}

template <class D>
HWY_ATTR void average_backward_block(D d, const PoolingShape& s, const float* HWY_RESTRICT diff_dst,
                                     float* HWY_RESTRICT diff_src) {
    const int block = s.src.block, lanes = static_cast<int>(hn::Lanes(d));
    for (int oh = 0; oh < s.dst.height; ++oh) {
        for (int ow = 0; ow < s.dst.width; ++ow) {
            const ClippedWindow w = window_at(s, oh, ow);
            const auto count =
                hn::Set(d, static_cast<float>((w.bottom - w.top) * (w.right - w.left)));
            for (int v = 0; v < block; v += lanes) {
                const auto share = hn::Div(
                    hn::LoadU(d, diff_dst + std::ptrdiff_t{oh * s.dst.width + ow} * block + v),
                    count);
                for (int h = w.top; h < w.bottom; ++h)
                    for (int x = w.left; x < w.right; ++x) {
                        float* at = diff_src + std::ptrdiff_t{h * s.src.width + x} * block + v;
                        hn::StoreU(hn::Add(hn::LoadU(d, at), share), d, at);
                    }
            }
        }
    }
}

// Whether every window is 2 x 2 and lies inside src.
inline bool is_plain_2x2(const PoolingShape& s) {
    const auto fits = [&](std::size_t axis, int size, int windows) {
        return s.pool_size[axis] == 2 && s.pad_before[axis] == 0 &&
               (windows - 1) * s.strides[axis] + 2 <= size;
    };
    return fits(0, s.src.height, s.dst.height) && fits(1, s.src.width, s.dst.width);
}

HWY_ATTR void MaxForward(const PoolingShape& s, const float* src, float* dst,
                         PlaceInWindow* places) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        if (is_plain_2x2(s))
            max_forward_block<2>(d, s, src, dst, places);
        else
            max_forward_block<0>(d, s, src, dst, places);
    });
}

template <bool kOverlaps>
HWY_ATTR void max_backward_any(const PoolingShape& s, const float* diff_dst,
                               const PlaceInWindow* places, const float* relu_src,
                               float* diff_src) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        if (is_plain_2x2(s))
            max_backward_block<2, kOverlaps>(d, s, diff_dst, places, relu_src, diff_src);
        else
            max_backward_block<0, kOverlaps>(d, s, diff_dst, places, relu_src, diff_src);
    });
}

HWY_ATTR void MaxBackward(const PoolingShape& s, bool overlaps, const float* diff_dst,
                          const PlaceInWindow* places, const float* relu_src, float* diff_src) {
    if (overlaps)
        max_backward_any<true>(s, diff_dst, places, relu_src, diff_src);
    else
        max_backward_any<false>(s, diff_dst, places, relu_src, diff_src);
}

HWY_ATTR void AverageForward(const PoolingShape& s, const float* src, float* dst) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR { average_forward_block(d, s, src, dst); });
}

HWY_ATTR void AverageBackward(const PoolingShape& s, const float* diff_dst, float* diff_src) {
    with_vectors_of(s.src.block,
                    [&](auto d) HWY_ATTR { average_backward_block(d, s, diff_dst, diff_src); });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(MaxForward);
HWY_EXPORT(MaxBackward);
HWY_EXPORT(AverageForward);
HWY_EXPORT(AverageBackward);

namespace {

std::ptrdiff_t block_size(const Layout& layout) {
    return std::ptrdiff_t{layout.pixels()} * layout.block;
}

std::size_t floats_of(const Layout& layout, int samples) {
    return layout.sample_size() * static_cast<std::size_t>(samples);
}

bool overlaps(const PoolingShape& s) {
    return s.strides[0] < s.pool_size[0] || s.strides[1] < s.pool_size[1];
}

// Whether some pixel lies in no window: its gradient is zero.
bool leaves_gaps(const PoolingShape& s) {
    const auto covers = [&](std::size_t axis, int size, int windows) {
        return s.strides[axis] <= s.pool_size[axis] &&
               (windows - 1) * s.strides[axis] - s.pad_before[axis] + s.pool_size[axis] >= size;
    };
    return !covers(0, s.src.height, s.dst.height) || !covers(1, s.src.width, s.dst.width);
}

// Channel blocks and samples lie one after another alike, so one loop covers both.
std::ptrdiff_t blocks_of(const PoolingShape& s, int samples) {
    return std::ptrdiff_t{s.src.channel_blocks()} * samples;
}

}  // namespace

void max_pooling_forward(const PoolingShape& s, const float* src, float* dst, PlaceInWindow* places,
                         int samples) {
    const std::ptrdiff_t src_step = block_size(s.src), dst_step = block_size(s.dst);
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(MaxForward)
    (s, src + i * src_step, dst + i * dst_step, places + i * dst_step);
}

void max_pooling_backward(const PoolingShape& s, const float* diff_dst, const PlaceInWindow* places,
                          const float* relu_src, float* diff_src, int samples) {
    const bool adds = overlaps(s);
    if (adds || leaves_gaps(s)) std::fill_n(diff_src, floats_of(s.src, samples), 0.0F);
    const std::ptrdiff_t src_step = block_size(s.src), dst_step = block_size(s.dst);
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(MaxBackward)
    (s, adds, diff_dst + i * dst_step, places + i * dst_step,
     relu_src == nullptr ? nullptr : relu_src + i * src_step, diff_src + i * src_step);
}

void average_pooling_forward(const PoolingShape& s, const float* src, float* dst, int samples) {
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(AverageForward)
    (s, src + i * block_size(s.src), dst + i * block_size(s.dst));
}

void average_pooling_backward(const PoolingShape& s, const float* diff_dst, float* diff_src,
                              int samples) {
    std::fill_n(diff_src, floats_of(s.src, samples), 0.0F);
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(AverageBackward)
    (s, diff_dst + i * block_size(s.dst), diff_src + i * block_size(s.src));
}

}  // namespace lockstep::trainer
#endif
