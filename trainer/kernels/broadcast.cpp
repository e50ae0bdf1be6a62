#include "trainer/kernels/broadcast.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/broadcast.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/channel_sums-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// dst = combine(src, pixel), of one sample.
template <class Combine>
HWY_ATTR HWY_INLINE void combine_with_pixel(const Layout& l, const float* src, const float* pixel,
                                            float* dst, Combine combine) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR {
        for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
            const auto value = hn::LoadU(d, pixel + channel);
            for (int p = 0; p < l.pixels(); ++p, at += l.block)
                hn::StoreU(combine(hn::LoadU(d, src + at), value), d, dst + at);
        });
    });
}

HWY_ATTR void AddPixel(const Layout& l, const float* src, const float* pixel, float* dst) {
    combine_with_pixel(l, src, pixel, dst, [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

HWY_ATTR void MultiplyByPixel(const Layout& l, const float* src, const float* pixel, float* dst) {
    combine_with_pixel(l, src, pixel, dst, [](auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
}

template <class D>
HWY_ATTR HWY_INLINE void store_sum(D d, const DoubleSum<D>& sum, float* to) {
    double values[hn::MaxLanes(D())];
    sum.store(values);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) to[i] = static_cast<float>(values[i]);
}

HWY_ATTR void SumOverPixels(const Layout& l, const float* a, const float* b, float* pixel) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR {
        for_each_channel_vector(d, l, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
            SumPair<decltype(d)> sums;
            const auto term = [&](int p, auto& sum, auto& product) HWY_ATTR {
                const std::ptrdiff_t place = at + std::ptrdiff_t{p} * l.block;
                const auto value = hn::LoadU(d, a + place);
                if (b == nullptr)
                    sum = hn::Add(sum, value);
                else
                    product = hn::MulAdd(value, hn::LoadU(d, b + place), product);
            };
            add_over_pixels(d, l.pixels(), term, sums);
            store_sum(d, b == nullptr ? sums.value : sums.product, pixel + channel);
        });
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(AddPixel);
HWY_EXPORT(MultiplyByPixel);
HWY_EXPORT(SumOverPixels);

namespace {

// visit(offset in images, offset in pixels) for each sample.
template <class Visit>
void for_each_sample(const Layout& image, int samples, Visit visit) {
    for (std::size_t n = 0; n < static_cast<std::size_t>(samples); ++n)
        visit(n * image.sample_size(), n * static_cast<std::size_t>(image.padded_channels()));
}

}  // namespace

void add_pixel(const Layout& image, const float* src, const float* pixel, float* dst, int samples) {
    for_each_sample(image, samples, [&](std::size_t at, std::size_t pixel_at) {
        HWY_DYNAMIC_DISPATCH(AddPixel)(image, src + at, pixel + pixel_at, dst + at);
    });
}

void multiply_by_pixel(const Layout& image, const float* src, const float* pixel, float* dst,
                       int samples) {
    for_each_sample(image, samples, [&](std::size_t at, std::size_t pixel_at) {
        HWY_DYNAMIC_DISPATCH(MultiplyByPixel)(image, src + at, pixel + pixel_at, dst + at);
    });
}

void sum_over_pixels(const Layout& image, const float* a, const float* b, float* pixel,
                     int samples) {
    for_each_sample(image, samples, [&](std::size_t at, std::size_t pixel_at) {
        HWY_DYNAMIC_DISPATCH(SumOverPixels)
        (image, a + at, b == nullptr ? nullptr : b + at, pixel + pixel_at);
    });
}

}  // namespace lockstep::trainer
#endif
