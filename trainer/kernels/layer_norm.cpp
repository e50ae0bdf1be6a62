#include "trainer/kernels/layer_norm.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/layer_norm.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/channel_sums-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

template <class D>
HWY_ATTR HWY_INLINE double total(D d, hn::Vec<D> sums) {
    return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sums)));
}

template <class D>
HWY_ATTR HWY_INLINE PixelMoments moments_of(D d, const Layout& l, const float* x,
                                            const LayerNormValues& values, double epsilon) {
    const double inv_count = 1.0 / values.channels;
    auto sum = hn::Zero(d);
    for_each_channel_vector(
        d, l, [&](std::ptrdiff_t at, int) HWY_ATTR { sum = hn::Add(sum, hn::LoadU(d, x + at)); });
    const auto first = static_cast<float>(total(d, sum) * inv_count);
    auto deviations = hn::Zero(d), squares = hn::Zero(d);
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto from_first = hn::Sub(hn::LoadU(d, x + at), hn::Set(d, first));
        const auto deviation = hn::Mul(from_first, hn::LoadU(d, values.mask + channel));
        deviations = hn::Add(deviations, deviation);
        squares = hn::MulAdd(deviation, deviation, squares);
    });
    const double shift = total(d, deviations) * inv_count;
    const double variance = std::max(0.0, total(d, squares) * inv_count - shift * shift);
    return {static_cast<float>(static_cast<double>(first) + shift),
            static_cast<float>(1.0 / std::sqrt(variance + epsilon))};
}

template <class D>
HWY_ATTR void forward_pixel(D d, const Layout& l, const float* x, const LayerNormValues& values,
                            double epsilon, float* y, PixelMoments& moments) {
    moments = moments_of(d, l, x, values, epsilon);
    const auto mean = hn::Set(d, moments.mean), inv_std = hn::Set(d, moments.inv_std);
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto unit = hn::Mul(hn::Sub(hn::LoadU(d, x + at), mean), inv_std);
        hn::StoreU(hn::MulAdd(unit, hn::LoadU(d, values.gamma + channel),
                              hn::LoadU(d, values.beta + channel)),
                   d, y + at);
    });
}

template <class D>
HWY_ATTR void backward_pixel(D d, const Layout& l, const float* x, const float* dy,
                             const LayerNormValues& values, const PixelMoments& moments,
                             float* dx) {
    const double inv_count = 1.0 / values.channels;
    const auto mean = hn::Set(d, moments.mean), inv_std = hn::Set(d, moments.inv_std);
    const auto unit_at = [&](std::ptrdiff_t at) HWY_ATTR {
        return hn::Mul(hn::Sub(hn::LoadU(d, x + at), mean), inv_std);
    };
    const auto gradient_at = [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        return hn::Mul(hn::LoadU(d, dy + at), hn::LoadU(d, values.gamma + channel));
    };
    auto sum = hn::Zero(d), product = hn::Zero(d);
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto gradient = gradient_at(at, channel);
        sum = hn::Add(sum, gradient);
        product = hn::MulAdd(gradient, unit_at(at), product);
    });
    const auto sum_share = hn::Set(d, static_cast<float>(total(d, sum) * inv_count));
    const auto product_share = hn::Set(d, static_cast<float>(total(d, product) * inv_count));
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto rest = hn::Sub(gradient_at(at, channel), sum_share);
        const auto whole = hn::Mul(hn::NegMulAdd(unit_at(at), product_share, rest), inv_std);
        hn::StoreU(hn::Mul(whole, hn::LoadU(d, values.mask + channel)), d, dx + at);
    });
}

HWY_ATTR void LayerNormForward(const Layout& l, const float* x, const LayerNormValues& values,
                               double epsilon, float* y, PixelMoments* moments) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR {
        for (std::ptrdiff_t p = 0; p < l.pixels(); ++p)
            forward_pixel(d, l, x + p * l.block, values, epsilon, y + p * l.block, moments[p]);
    });
}

HWY_ATTR void LayerNormBackward(const Layout& l, const float* x, const float* dy,
                                const LayerNormValues& values, const PixelMoments* moments,
                                float* dx) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR {
        for (std::ptrdiff_t p = 0; p < l.pixels(); ++p)
            backward_pixel(d, l, x + p * l.block, dy + p * l.block, values, moments[p],
                           dx + p * l.block);
    });
}

template <class D>
HWY_ATTR void gradient_sums(D d, const Layout& l, const float* x, const float* dy,
                            const PixelMoments* moments, int samples, double* sum,
                            double* product) {
    for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        SumPair<D> sums;
        const PixelMoments* of_sample = moments;
        for (int n = 0; n < samples; ++n) {
            const auto term = [&](int p, auto& value_sum, auto& product_sum) HWY_ATTR {
                const std::ptrdiff_t place = at + std::ptrdiff_t{p} * l.block;
                const auto deviation =
                    hn::Sub(hn::LoadU(d, x + place), hn::Set(d, of_sample[p].mean));
                const auto unit = hn::Mul(deviation, hn::Set(d, of_sample[p].inv_std));
                const auto gradient = hn::LoadU(d, dy + place);
                value_sum = hn::Add(value_sum, gradient);
                product_sum = hn::MulAdd(gradient, unit, product_sum);
            };
            add_over_pixels(d, l.pixels(), term, sums);
            at += static_cast<std::ptrdiff_t>(l.sample_size());
            of_sample += l.pixels();
        }
        sums.value.store(sum + channel);
        sums.product.store(product + channel);
    });
}

HWY_ATTR void LayerNormGradientSums(const Layout& l, const float* x, const float* dy,
                                    const PixelMoments* moments, int samples, double* sum,
                                    double* product) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR {
        gradient_sums(d, l, x, dy, moments, samples, sum, product);
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(LayerNormForward);
HWY_EXPORT(LayerNormBackward);
HWY_EXPORT(LayerNormGradientSums);

void layer_norm_forward(const Layout& l, const float* x, const LayerNormValues& values,
                        double epsilon, float* y, PixelMoments* moments, int samples) {
    for (std::ptrdiff_t n = 0; n < samples; ++n) {
        const std::ptrdiff_t at = n * static_cast<std::ptrdiff_t>(l.sample_size());
        HWY_DYNAMIC_DISPATCH(LayerNormForward)
        (l, x + at, values, epsilon, y + at, moments + n * l.pixels());
    }
}

void layer_norm_backward(const Layout& l, const float* x, const float* diff_y,
                         const LayerNormValues& values, const PixelMoments* moments, float* diff_x,
                         int samples) {
    for (std::ptrdiff_t n = 0; n < samples; ++n) {
        const std::ptrdiff_t at = n * static_cast<std::ptrdiff_t>(l.sample_size());
        HWY_DYNAMIC_DISPATCH(LayerNormBackward)
        (l, x + at, diff_y + at, values, moments + n * l.pixels(), diff_x + at);
    }
}

void layer_norm_gradient_sums(const Layout& l, const float* x, const float* diff_y,
                              const PixelMoments* moments, int samples, std::span<double> sum,
                              std::span<double> product) {
    HWY_DYNAMIC_DISPATCH(LayerNormGradientSums)
    (l, x, diff_y, moments, samples, sum.data(), product.data());
}

}  // namespace lockstep::trainer
#endif
