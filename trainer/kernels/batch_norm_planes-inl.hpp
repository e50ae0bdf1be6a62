// Batch normalization of planes, block = 1, as pixels lie: vectors hold neighbouring pixels of one
// channel. Included once for each instruction set, inside of a file that <hwy/foreach_target.h>
// includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_BATCH_NORM_PLANES) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_BATCH_NORM_PLANES
#undef LOCKSTEP_BATCH_NORM_PLANES
#else
#define LOCKSTEP_BATCH_NORM_PLANES
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "trainer/kernels/batch_norm_centre-inl.hpp"
#include "trainer/kernels/batch_norm_gradient-inl.hpp"
#include "trainer/kernels/channel_sums-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls piece(offset of its first pixel, channel) for every plane of one sample.
template <class Piece>
HWY_ATTR HWY_INLINE void for_each_plane(const Layout& l, Piece piece) {
    const auto pixels = static_cast<std::size_t>(l.pixels());
    for (int c = 0; c < l.channels; ++c)
        piece(static_cast<std::size_t>(c) * pixels, static_cast<std::size_t>(c));
}

// The sums of a channel: in every lane those of the pixels that stand there, and those of the
// pixels behind a plane's last whole vector.
class PlaneSums {
public:
    // term(tag, pixel, value_sum, product_sum) adds what stands from `pixel` on.
    template <class Term>
    HWY_ATTR HWY_INLINE void add(int pixels, Term term) {
        const FullVector d;
        const OneFloat one;
        const int lanes = static_cast<int>(hn::Lanes(d)), whole = pixels / lanes;
        add_over_pixels(
            d, whole, [&](int i, auto& s, auto& t) HWY_ATTR { term(d, i * lanes, s, t); }, lanes_);
        add_over_pixels(
            one, pixels - whole * lanes,
            [&](int i, auto& s, auto& t) HWY_ATTR { term(one, whole * lanes + i, s, t); }, rest_);
    }
    HWY_ATTR HWY_INLINE void store(double* sum, double* product) const {
        store(lanes_.value, rest_.value, sum);
        store(lanes_.product, rest_.product, product);
    }

private:
    HWY_ATTR HWY_INLINE static void store(const DoubleSum<FullVector>& lanes,
                                          const DoubleSum<OneFloat>& rest, double* sum) {
        double values[hn::MaxLanes(FullVector())];
        lanes.store(values);
        rest.store(sum);
        for (std::size_t i = 0; i < hn::Lanes(FullVector()); ++i) *sum += values[i];
    }

    SumPair<FullVector> lanes_;
    SumPair<OneFloat> rest_;
};

HWY_ATTR inline void plane_moments(const Layout& l, const float* HWY_RESTRICT x, int samples,
                                   double inv_count, double* mean, double* squares) {
    for_each_plane(l, [&](std::size_t at, std::size_t channel) HWY_ATTR {
        const float centre = hn::GetLane(centre_of(OneFloat(), l, x + at));
        PlaneSums sums;
        for (int n = 0; n < samples; ++n, at += l.sample_size())
            sums.add(l.pixels(), [&](auto d, int p, auto& sum, auto& square) HWY_ATTR {
                const auto deviation = hn::Sub(hn::LoadU(d, x + at + p), hn::Set(d, centre));
                sum = hn::Add(sum, deviation);
                square = hn::MulAdd(deviation, deviation, square);
            });
        sums.store(mean + channel, squares + channel);
        moments_from_sums(&centre, 1, inv_count, mean + channel, squares + channel);
    });
}

HWY_ATTR inline void plane_gradient_sums(const Layout& l, const float* HWY_RESTRICT x,
                                         const float* HWY_RESTRICT dy, int samples,
                                         const float* mean, double* sum, double* product) {
    for_each_plane(l, [&](std::size_t at, std::size_t channel) HWY_ATTR {
        PlaneSums sums;
        for (int n = 0; n < samples; ++n, at += l.sample_size())
            sums.add(l.pixels(), [&](auto d, int p, auto& gradients, auto& products) HWY_ATTR {
                const auto gradient = hn::LoadU(d, dy + at + p);
                const auto value = hn::LoadU(d, x + at + p);
                gradients = hn::Add(gradients, gradient);
                products =
                    hn::MulAdd(gradient, hn::Sub(value, hn::Set(d, mean[channel])), products);
            });
        sums.store(sum + channel, product + channel);
    });
}

HWY_ATTR inline void plane_apply(const Layout& l, const float* HWY_RESTRICT x, const float* scale,
                                 const float* shift, float* HWY_RESTRICT y, int samples) {
    const auto pixels = static_cast<std::size_t>(l.pixels());
    for (int n = 0; n < samples; ++n, x += l.sample_size(), y += l.sample_size())
        for_each_plane(l, [&](std::size_t at, std::size_t channel) HWY_ATTR {
            const float a = scale[channel], b = shift[channel];
            for_each_vector(pixels, [&](auto d, std::size_t i) HWY_ATTR {
                hn::StoreU(hn::MulAdd(hn::LoadU(d, x + at + i), hn::Set(d, a), hn::Set(d, b)), d,
                           y + at + i);
            });
        });
}

HWY_ATTR inline void plane_backward(const Layout& l, const float* x, const float* dy,
                                    const BatchNormGradient& g, bool src_is_relu, float* dx,
                                    int samples) {
    const auto pixels = static_cast<std::size_t>(l.pixels());
    std::size_t sample = 0;
    for (int n = 0; n < samples; ++n, sample += l.sample_size())
        for_each_plane(l, [&](std::size_t at, std::size_t channel) HWY_ATTR {
            const FullVector d;
            const OneFloat one;
            const GradientVectors<FullVector> gradient(d, g, OneChannel{channel}, src_is_relu);
            const GradientVectors<OneFloat> rest(one, g, OneChannel{channel}, src_is_relu);
            std::size_t p = sample + at;
            const std::size_t end = p + pixels, lanes = hn::Lanes(d);
            for (; p + lanes <= end; p += lanes)
                hn::StoreU(gradient.diff_x(hn::LoadU(d, x + p), hn::LoadU(d, dy + p)), d, dx + p);
            for (; p < end; ++p)
                hn::StoreU(rest.diff_x(hn::LoadU(one, x + p), hn::LoadU(one, dy + p)), one, dx + p);
        });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
