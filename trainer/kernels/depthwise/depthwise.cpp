#include "trainer/kernels/depthwise/depthwise.hpp"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/depthwise/depthwise.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/depthwise/correlation-inl.hpp"
#include "trainer/kernels/depthwise/filter_gradient-inl.hpp"
#include "trainer/kernels/depthwise/strided_data-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

inline TapAxis axis_of(const DepthwiseShape& s, std::size_t axis) {
    return {.src = axis == 0 ? s.src_height : s.src_width,
            .dst = axis == 0 ? s.dst_height : s.dst_width,
            .taps = s.kernel_size[axis],
            .stride = s.strides[axis],
            .rate = s.dilation_rate[axis],
            .pad = s.pad_before[axis]};
}

// Forward with strides of 1 has a gradient of the same kind: from dst to src, padded so that both
// ends of a window meet.
inline TapAxis reversed(const TapAxis& axis) {
    return {.src = axis.dst,
            .dst = axis.src,
            .taps = axis.taps,
            .stride = 1,
            .rate = axis.rate,
            .pad = (axis.taps - 1) * axis.rate - axis.pad};
}

HWY_ATTR void Forward(const DepthwiseShape& s, const float* src, const float* weights,
                      const float* bias, bool has_relu, float* dst, int images) {
    const Correlation c{axis_of(s, 0), axis_of(s, 1), s.block, s.block, has_relu};
    with_vectors_of(s.block, [&](auto d) HWY_ATTR {
        for (int n = 0; n < images; ++n)
            for (int b = 0; b < s.blocks(); ++b, src += s.src_plane(), dst += s.dst_plane())
                correlate(d, c, src, weights + static_cast<std::size_t>(b) * s.filter(),
                          bias + b * s.block, dst);
    });
}

HWY_ATTR void BackwardData(const DepthwiseShape& s, const float* diff_dst, const float* weights,
                           float* diff_src, int images) {
    const bool has_strides = s.strides != std::array{1, 1};
    const Correlation c{reversed(axis_of(s, 0)), reversed(axis_of(s, 1)), s.block, -s.block, false};
    const std::size_t last_tap = s.filter() - static_cast<std::size_t>(s.block);
    with_vectors_of(s.block, [&](auto d) HWY_ATTR {
        for (int n = 0; n < images; ++n)
            for (int b = 0; b < s.blocks();
                 ++b, diff_dst += s.dst_plane(), diff_src += s.src_plane()) {
                const float* filter = weights + static_cast<std::size_t>(b) * s.filter();
                if (has_strides)
                    strided_data(d, s, diff_dst, filter, diff_src);
                else
                    correlate(d, c, diff_dst, filter + last_tap, nullptr, diff_src);
            }
    });
}

template <class D>
HWY_ATTR void three_by_three_gradient(D d, const DepthwiseShape& s, const Correlation& c,
                                      const float* src, const float* diff_dst, float* weights,
                                      float* bias, int images) {
    ThreeByThree<D> total(d);
    const auto blocks = static_cast<std::size_t>(s.blocks());
    const int images_a_sum = std::max(1, kPixelsOfSum / (s.dst_height * s.dst_width));
    for (int first = 0; first < images; first += images_a_sum) {
        ThreeByThree<D> sums(d);
        const int end = std::min(first + images_a_sum, images);
        for (int n = first; n < end; ++n) {
            add_image_of_three(d, c, src, diff_dst, sums);
            src += blocks * s.src_plane();
            diff_dst += blocks * s.dst_plane();
        }
        total.add(d, sums);
    }
    for (int t = 0; t < 9; ++t) hn::StoreU(total.taps[t], d, weights + t * s.block);
    hn::StoreU(total.bias, d, bias);
}

template <class D>
HWY_ATTR void any_gradient(D d, const DepthwiseShape& s, const Correlation& c, const float* src,
                           const float* diff_dst, float* weights, float* bias, int images) {
    for (int t = 0; t < s.taps(); ++t) hn::StoreU(hn::Zero(d), d, weights + t * s.block);
    auto total = hn::Zero(d);
    const std::size_t blocks = static_cast<std::size_t>(s.blocks());
    for (int n = 0; n < images; ++n) {
        add_image_of_any(d, c, src, diff_dst, weights);
        total = hn::Add(total, sum_of_pixels(d, s.dst_height * s.dst_width, diff_dst, s.block));
        src += blocks * s.src_plane();
        diff_dst += blocks * s.dst_plane();
    }
    hn::StoreU(total, d, bias);
}

HWY_ATTR void BackwardWeights(const DepthwiseShape& s, const float* src, const float* diff_dst,
                              float* diff_weights, float* diff_bias, int images) {
    const Correlation c{axis_of(s, 0), axis_of(s, 1), s.block, s.block, false};
    const bool is_small = s.taps() == 9 && s.kernel_size[0] == 3 &&
                          s.dilation_rate == std::array{1, 1} &&
                          std::max(s.pad_before[0], s.pad_before[1]) < 3;
    with_vectors_of(s.block, [&](auto d) HWY_ATTR {
        const int lanes = static_cast<int>(hn::Lanes(d));
        const bool is_three = is_small && s.block == lanes;
        for (int b = 0; b < s.blocks(); ++b)
            for (int v = 0; v < s.block; v += lanes) {
                const std::size_t block = static_cast<std::size_t>(b);
                const float* x = src + block * s.src_plane() + v;
                const float* diff = diff_dst + block * s.dst_plane() + v;
                float* weights = diff_weights + block * s.filter() + v;
                float* bias = diff_bias + b * s.block + v;
                if (is_three)
                    three_by_three_gradient(d, s, c, x, diff, weights, bias, images);
                else
                    any_gradient(d, s, c, x, diff, weights, bias, images);
            }
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Forward);
HWY_EXPORT(BackwardData);
HWY_EXPORT(BackwardWeights);

void Depthwise::forward(const float* src, const float* weights, const float* bias, bool has_relu,
                        float* dst, int images) const {
    HWY_DYNAMIC_DISPATCH(Forward)(shape_, src, weights, bias, has_relu, dst, images);
}

void Depthwise::backward_data(const float* diff_dst, const float* weights, float* diff_src,
                              int images) const {
    HWY_DYNAMIC_DISPATCH(BackwardData)(shape_, diff_dst, weights, diff_src, images);
}

void Depthwise::backward_weights(const float* src, const float* diff_dst, float* diff_weights,
                                 float* diff_bias, int images) const {
    HWY_DYNAMIC_DISPATCH(BackwardWeights)(shape_, src, diff_dst, diff_weights, diff_bias, images);
}

}  // namespace lockstep::trainer
#endif
