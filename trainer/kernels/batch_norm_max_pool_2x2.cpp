// The backward pass of max_pool_2x2.hpp with batch normalization.
#include "trainer/kernels/max_pool_2x2.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/batch_norm_max_pool_2x2.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "trainer/kernels/batch_norm_gradient-inl.hpp"
#include "trainer/kernels/channel_sums-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"
#include "trainer/kernels/windows_2x2-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// A row of windows, by their gradients and the places that these belong to.
template <class D>
class GradientRow {
    using DI = hn::Rebind<std::int32_t, D>;
    using DRoute = hn::Rebind<PoolRoute, D>;
    const float* diff_;
    const PoolRoute* routes_;
    hn::Vec<D> scale_;

public:
    struct Window {
        hn::Vec<D> diff;
        hn::Vec<DI> route;

        HWY_ATTR HWY_INLINE hn::Mask<D> leads_to(int place) const {
            return hn::RebindMask(D(), hn::Eq(route, hn::Set(DI(), place)));
        }
        HWY_ATTR HWY_INLINE hn::Vec<D> diff_at(int place) const {
            return hn::IfThenElseZero(leads_to(place), diff);
        }
    };
    HWY_ATTR HWY_INLINE GradientRow(D d, const PooledGradient& pooled, std::ptrdiff_t first)
        : diff_(pooled.diff_y + first),
          routes_(pooled.routes + first),
          scale_(hn::Set(d, pooled.dropout_scale)) {}
    HWY_ATTR HWY_INLINE Window window(std::ptrdiff_t at) const {
        return {hn::Mul(hn::LoadU(D(), diff_ + at), scale_),
                hn::PromoteTo(DI(), hn::LoadU(DRoute(), routes_ + at))};
    }
};

// For the row of windows below, which is another page as often as not: there the hardware's own
// prefetching begins anew. Behind the last row it reads nothing that matters.
HWY_ATTR HWY_INLINE void prefetch_window(const float* x, std::ptrdiff_t block, std::ptrdiff_t row) {
    for (const std::ptrdiff_t at : {std::ptrdiff_t{0}, block, row, row + block})
        hwy::Prefetch(x + at);
}

// Adds one sample's part of the two sums of a vector of channels. x: its first pixel.
template <class D>
HWY_ATTR HWY_INLINE void add_sample(D d, const PoolingShape& s, const float* HWY_RESTRICT x,
                                    const PooledGradient& pooled, std::ptrdiff_t first,
                                    hn::Vec<D> mean, SumPair<D>& sums) {
    const std::ptrdiff_t block = s.src.block, row = s.src.width * block;
    const int width = s.dst.width;
    auto sum = hn::Zero(d), product = sum;
    int summed = 0;
    for_each_window_row(s, [&](std::ptrdiff_t at, std::ptrdiff_t out) HWY_ATTR {
        const GradientRow<D> gradients(d, pooled, first + out);
        for (int ow = 0; ow < width; ++ow, at += 2 * block) {
            prefetch_window(x + at + 2 * row, block, row);
            const auto window = gradients.window(ow * block);
            auto value = hn::LoadU(d, x + at);
            value = hn::IfThenElse(window.leads_to(1), hn::LoadU(d, x + at + block), value);
            value = hn::IfThenElse(window.leads_to(2), hn::LoadU(d, x + at + row), value);
            value = hn::IfThenElse(window.leads_to(3), hn::LoadU(d, x + at + row + block), value);
            const auto is_nowhere = window.leads_to(kNoRoute);
            const auto diff = hn::IfThenZeroElse(is_nowhere, window.diff);
            sum = hn::Add(sum, diff);
            product = hn::MulAdd(diff, hn::Sub(value, mean), product);
        }
        summed += width;
        if (summed < kFloatRun) return;
        sums.value.add(sum);
        sums.product.add(product);
        sum = product = hn::Zero(d);
        summed = 0;
    });
    sums.value.add(sum);
    sums.product.add(product);
}

template <class D>
HWY_ATTR void gradient_sums(D d, const PoolingShape& s, const float* x,
                            const PooledGradient& pooled, const float* mean, int samples,
                            double* sum, double* product) {
    for_each_pooled_vector(d, s, [&](const ChannelVector& v) HWY_ATTR {
        SumPair<D> sums;
        for (int n = 0; n < samples; ++n)
            add_sample(d, s, x + v.src + n * static_cast<std::ptrdiff_t>(s.src.sample_size()),
                       pooled, v.dst + n * static_cast<std::ptrdiff_t>(s.dst.sample_size()),
                       hn::LoadU(d, mean + v.channel), sums);
        sums.value.store(sum + v.channel);
        sums.product.store(product + v.channel);
    });
}

// A vector of channels of one sample, whose first pixels are x and dx; its first window is `first`.
template <class D>
HWY_ATTR HWY_INLINE void backward_vector(D d, const PoolingShape& s, const float* x,
                                         const PooledGradient& pooled, std::ptrdiff_t first,
                                         const GradientVectors<D>& gradient, float* dx) {
    const std::ptrdiff_t block = s.src.block, row = s.src.width * block;
    const int width = s.dst.width;
    const auto write = [&](std::ptrdiff_t at, hn::Vec<D> diff_y) HWY_ATTR {
        hn::StoreU(gradient.diff_x(hn::LoadU(d, x + at), diff_y), d, dx + at);
    };
    for_each_window_row(s, [&](std::ptrdiff_t at, std::ptrdiff_t out) HWY_ATTR {
        const GradientRow<D> gradients(d, pooled, first + out);
        for (int ow = 0; ow < width; ++ow, at += 2 * block) {
            prefetch_window(x + at + 2 * row, block, row);
            const auto window = gradients.window(ow * block);
            write(at, window.diff_at(0));
            write(at + block, window.diff_at(1));
            write(at + row, window.diff_at(2));
            write(at + row + block, window.diff_at(3));
        }
    });
    for_each_pixel_outside(s, [&](std::ptrdiff_t at) HWY_ATTR { write(at, hn::Zero(d)); });
}

template <class D>
HWY_ATTR void backward(D d, const PoolingShape& s, const float* x, const PooledGradient& pooled,
                       const BatchNormGradient& g, bool src_is_relu, float* dx, int samples) {
    std::ptrdiff_t src = 0, dst = 0;
    for (int n = 0; n < samples; ++n) {
        for_each_pooled_vector(d, s, [&](const ChannelVector& v) HWY_ATTR {
            backward_vector(d, s, x + src + v.src, pooled, dst + v.dst,
                            GradientVectors<D>(d, g, v.channel, src_is_relu), dx + src + v.src);
        });
        src += static_cast<std::ptrdiff_t>(s.src.sample_size());
        dst += static_cast<std::ptrdiff_t>(s.dst.sample_size());
    }
}

HWY_ATTR void GradientSums(const PoolingShape& s, const float* x, const PooledGradient& pooled,
                           const float* mean, int samples, double* sum, double* product) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        gradient_sums(d, s, x, pooled, mean, samples, sum, product);
    });
}
HWY_ATTR void Backward(const PoolingShape& s, const float* x, const PooledGradient& pooled,
                       const BatchNormGradient& g, bool src_is_relu, float* dx, int samples) {
    with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
        backward(d, s, x, pooled, g, src_is_relu, dx, samples);
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(GradientSums);
HWY_EXPORT(Backward);

void batch_norm_max_pool_2x2_gradient_sums(const PoolingShape& shape, const float* x,
                                           const PooledGradient& pooled,
                                           std::span<const float> mean, int samples,
                                           std::span<double> sum, std::span<double> product) {
    HWY_DYNAMIC_DISPATCH(GradientSums)
    (shape, x, pooled, mean.data(), samples, sum.data(), product.data());
}

void batch_norm_max_pool_2x2_backward(const PoolingShape& shape, const float* x,
                                      const PooledGradient& pooled,
                                      const BatchNormGradient& gradient, bool src_is_relu,
                                      float* diff_x, int samples) {
    HWY_DYNAMIC_DISPATCH(Backward)(shape, x, pooled, gradient, src_is_relu, diff_x, samples);
}

}  // namespace lockstep::trainer
#endif
