#include "trainer/kernels/pooling.hpp"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/pooling.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/pooling_windows-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

HWY_ATTR void MaxForward(const PoolingShape& s, const float* src, float* dst,
                         PlaceInWindow* places) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        const auto run =
            [&](auto outputs, auto size, const WindowRow& row, WindowPlace at)
                HWY_ATTR { max_forward<outputs(), size()>(d, row, at, src, dst, places); };
        for_each_tile(
            d, s, [](int) {}, run);
    });
}

template <bool kAdds, bool kHasRelu>
HWY_ATTR void max_backward_block(const PoolingShape& s, bool needs_zeros, const float* diff_dst,
                                 const PlaceInWindow* places, const float* relu_src,
                                 float* diff_src) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        const auto run = [&](auto outputs, auto size, const WindowRow& row, WindowPlace at)
                             HWY_ATTR {
                                 max_backward<outputs(), size(), kAdds, kHasRelu>(
                                     d, row, at, diff_dst, places, relu_src, diff_src);
                             };
        for_each_tile(d, s, RowsOfZeros(s, needs_zeros, diff_src), run);
    });
}

HWY_ATTR void MaxBackward(const PoolingShape& s, bool overlaps, bool needs_zeros,
                          const float* diff_dst, const PlaceInWindow* places, const float* relu_src,
                          float* diff_src) {
    const auto backward =
        relu_src != nullptr
            ? (overlaps ? &max_backward_block<true, true> : &max_backward_block<false, true>)
            : (overlaps ? &max_backward_block<true, false> : &max_backward_block<false, false>);
    backward(s, needs_zeros, diff_dst, places, relu_src, diff_src);
}

HWY_ATTR void AverageForward(const PoolingShape& s, const float* src, float* dst) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        const auto run = [&](auto outputs, auto size, const WindowRow& row, WindowPlace at)
                             HWY_ATTR { average_forward<outputs(), size()>(d, row, at, src, dst); };
        for_each_tile(
            d, s, [](int) {}, run);
    });
}

template <bool kAdds>
HWY_ATTR void average_backward_block(const PoolingShape& s, bool needs_zeros, const float* diff_dst,
                                     float* diff_src) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        const auto run = [&](auto outputs, auto size, const WindowRow& row,
                             WindowPlace at) HWY_ATTR {
            average_backward<outputs(), size(), kAdds>(d, row, at, diff_dst, diff_src);
        };
        for_each_tile(d, s, RowsOfZeros(s, needs_zeros, diff_src), run);
    });
}

HWY_ATTR void AverageBackward(const PoolingShape& s, bool overlaps, bool needs_zeros,
                              const float* diff_dst, float* diff_src) {
    overlaps ? average_backward_block<true>(s, needs_zeros, diff_dst, diff_src)
             : average_backward_block<false>(s, needs_zeros, diff_dst, diff_src);
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
    const bool adds = overlaps(s), needs_zeros = adds || leaves_gaps(s);
    const std::ptrdiff_t src_step = block_size(s.src), dst_step = block_size(s.dst);
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(MaxBackward)
    (s, adds, needs_zeros, diff_dst + i * dst_step, places + i * dst_step,
     relu_src == nullptr ? nullptr : relu_src + i * src_step, diff_src + i * src_step);
}

void average_pooling_forward(const PoolingShape& s, const float* src, float* dst, int samples) {
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(AverageForward)
    (s, src + i * block_size(s.src), dst + i * block_size(s.dst));
}

void average_pooling_backward(const PoolingShape& s, const float* diff_dst, float* diff_src,
                              int samples) {
    const bool adds = overlaps(s), needs_zeros = adds || leaves_gaps(s);
    for (std::ptrdiff_t i = 0; i < blocks_of(s, samples); ++i) HWY_DYNAMIC_DISPATCH(AverageBackward)
    (s, adds, needs_zeros, diff_dst + i * block_size(s.dst), diff_src + i * block_size(s.src));
}

}  // namespace lockstep::trainer
#endif
