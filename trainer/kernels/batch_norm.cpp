#include "trainer/kernels/batch_norm.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/batch_norm.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/batch_norm_centre-inl.hpp"
#include "trainer/kernels/batch_norm_gradient-inl.hpp"
#include "trainer/kernels/batch_norm_planes-inl.hpp"
#include "trainer/kernels/channel_sums-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

template <class D>
HWY_ATTR void moments(D d, const Layout& l, const float* HWY_RESTRICT x, int samples, double* mean,
                      double* squares) {
    const double inv_count = 1.0 / (static_cast<double>(l.pixels()) * samples);
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto centre = centre_of(d, l, x + at);
        SumPair<D> sums;
        for (int n = 0; n < samples; ++n, at += static_cast<std::ptrdiff_t>(l.sample_size())) {
            const auto term = [&](int p, auto& sum, auto& square) HWY_ATTR {
                const auto value = hn::LoadU(d, x + at + std::ptrdiff_t{p} * l.block);
                const auto deviation = hn::Sub(value, centre);
                sum = hn::Add(sum, deviation);
                square = hn::MulAdd(deviation, deviation, square);
            };
            add_over_pixels(d, l.pixels(), term, sums);
        }
        sums.value.store(mean + channel);
        sums.product.store(squares + channel);
        HWY_ALIGN float centres[hn::MaxLanes(d)];
        hn::Store(centre, d, centres);
        moments_from_sums(centres, hn::Lanes(d), inv_count, mean + channel, squares + channel);
    });
}

template <class D>
HWY_ATTR void gradient_sums(D d, const Layout& l, const float* HWY_RESTRICT x,
                            const float* HWY_RESTRICT dy, int samples, const float* mean,
                            double* sum, double* product) {
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto m = hn::LoadU(d, mean + channel);
        SumPair<D> sums;
        for (int n = 0; n < samples; ++n, at += static_cast<std::ptrdiff_t>(l.sample_size())) {
            const auto term = [&](int p, auto& gradients, auto& products) HWY_ATTR {
                const std::ptrdiff_t i = at + std::ptrdiff_t{p} * l.block;
                const auto gradient = hn::LoadU(d, dy + i);
                gradients = hn::Add(gradients, gradient);
                products = hn::MulAdd(gradient, hn::Sub(hn::LoadU(d, x + i), m), products);
            };
            add_over_pixels(d, l.pixels(), term, sums);
        }
        sums.value.store(sum + channel);
        sums.product.store(product + channel);
    });
}

// Calls piece(first offset, first channel) for every vector of channels of every sample. Its pixels
// are `block` apart; where they end, a piece finds out in front: a loop that writes floats would
// read the layout again for each.
template <class D, class Piece>
HWY_ATTR HWY_INLINE void for_each_vector_of(D d, const Layout& l, int samples, Piece piece) {
    std::ptrdiff_t first = 0;
    for (int n = 0; n < samples; ++n, first += static_cast<std::ptrdiff_t>(l.sample_size()))
        for_each_channel_vector(
            d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR { piece(first + at, channel); });
}

template <class D>
HWY_ATTR void apply(D d, const Layout& l, const float* HWY_RESTRICT x, const float* scale,
                    const float* shift, float* HWY_RESTRICT y, int samples) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto a = hn::LoadU(d, scale + channel), b = hn::LoadU(d, shift + channel);
        const std::ptrdiff_t block = l.block, end = at + block * l.pixels();
        for (; at < end; at += block) hn::StoreU(hn::MulAdd(hn::LoadU(d, x + at), a, b), d, y + at);
    });
}

template <class D>
HWY_ATTR void backward(D d, const Layout& l, const float* x, const float* dy,
                       const BatchNormGradient& g, bool src_is_relu, float* dx, int samples) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const GradientVectors<D> gradient(d, g, channel, src_is_relu);
        const std::ptrdiff_t block = l.block, end = at + block * l.pixels();
        for (; at < end; at += block)
            hn::StoreU(gradient.diff_x(hn::LoadU(d, x + at), hn::LoadU(d, dy + at)), d, dx + at);
    });
}

HWY_ATTR void Moments(const Layout& l, const float* x, int samples, double* mean, double* squares) {
    if (l.block == 1)
        return plane_moments(l, x, samples, 1.0 / (static_cast<double>(l.pixels()) * samples), mean,
                             squares);
    with_vectors_of(l.block, [&](auto d) HWY_ATTR { moments(d, l, x, samples, mean, squares); });
}
HWY_ATTR void GradientSums(const Layout& l, const float* x, const float* dy, int samples,
                           const float* mean, double* sum, double* product) {
    if (l.block == 1) return plane_gradient_sums(l, x, dy, samples, mean, sum, product);
    with_vectors_of(
        l.block, [&](auto d) HWY_ATTR { gradient_sums(d, l, x, dy, samples, mean, sum, product); });
}
HWY_ATTR void Apply(const Layout& l, const float* x, const float* scale, const float* shift,
                    float* y, int samples) {
    if (l.block == 1) return plane_apply(l, x, scale, shift, y, samples);
    with_vectors_of(l.block, [&](auto d) HWY_ATTR { apply(d, l, x, scale, shift, y, samples); });
}
HWY_ATTR void Backward(const Layout& l, const float* x, const float* dy, const BatchNormGradient& g,
                       bool src_is_relu, float* dx, int samples) {
    if (l.block == 1) return plane_backward(l, x, dy, g, src_is_relu, dx, samples);
    with_vectors_of(l.block,
                    [&](auto d) HWY_ATTR { backward(d, l, x, dy, g, src_is_relu, dx, samples); });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Moments);
HWY_EXPORT(GradientSums);
HWY_EXPORT(Apply);
HWY_EXPORT(Backward);

void batch_norm_moments(const Layout& layout, const float* x, int samples, std::span<double> mean,
                        std::span<double> squares) {
    HWY_DYNAMIC_DISPATCH(Moments)(layout, x, samples, mean.data(), squares.data());
}

void batch_norm_apply(const Layout& layout, const float* x, std::span<const float> scale,
                      std::span<const float> shift, float* y, int samples) {
    HWY_DYNAMIC_DISPATCH(Apply)(layout, x, scale.data(), shift.data(), y, samples);
}

void batch_norm_gradient_sums(const Layout& layout, const float* x, const float* diff_y,
                              std::span<const float> mean, int samples, std::span<double> sum,
                              std::span<double> product) {
    HWY_DYNAMIC_DISPATCH(GradientSums)
    (layout, x, diff_y, samples, mean.data(), sum.data(), product.data());
}

void batch_norm_backward(const Layout& layout, const float* x, const float* diff_y,
                         const BatchNormGradient& gradient, bool src_is_relu, float* diff_x,
                         int samples) {
    HWY_DYNAMIC_DISPATCH(Backward)(layout, x, diff_y, gradient, src_is_relu, diff_x, samples);
}

}  // namespace lockstep::trainer
#endif
