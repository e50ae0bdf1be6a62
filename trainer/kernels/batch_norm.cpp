#include "trainer/kernels/batch_norm.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/batch_norm.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// Pixels that are added up in float32 before the sum goes on in double.
constexpr int kFloatRun = 32;

template <class D, class V>
HWY_ATTR void add_to_doubles(D d, V value, double* HWY_RESTRICT sum) {
    HWY_ALIGN float lanes[hn::MaxLanes(d)];
    hn::Store(value, d, lanes);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) sum[i] += static_cast<double>(lanes[i]);
}

// sum[block] += sum over `pixels` of term(pixel) for one vector of channels, four sums at a time.
template <class D, class Term>
HWY_ATTR HWY_INLINE void sum_over_pixels(D d, int pixels, Term term, double* HWY_RESTRICT sum) {
    for (int begin = 0; begin < pixels; begin += kFloatRun) {
        const int end = std::min(begin + kFloatRun, pixels);
        auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
        int p = begin;
        for (; p + 4 <= end; p += 4) {
            s0 = term(p, s0);
            s1 = term(p + 1, s1);
            s2 = term(p + 2, s2);
            s3 = term(p + 3, s3);
        }
        for (; p < end; ++p) s0 = term(p, s0);
        add_to_doubles(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), sum);
    }
}

// Calls piece(x, first channel) for every vector of channels of every sample.
template <class D, class Piece>
HWY_ATTR HWY_INLINE void for_each_vector_of(D d, const Layout& l, int samples, Piece piece) {
    const int lanes = static_cast<int>(hn::Lanes(d));
    const std::ptrdiff_t block_size = std::ptrdiff_t{l.pixels()} * l.block;
    std::ptrdiff_t at = 0;
    for (int n = 0; n < samples; ++n)
        for (int cb = 0; cb < l.channel_blocks(); ++cb, at += block_size)
            for (int v = 0; v < l.block; v += lanes) piece(at + v, cb * l.block + v);
}

template <class D>
HWY_ATTR void add_sums(D d, const Layout& l, const float* HWY_RESTRICT x, int samples,
                       double* sum) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto term = [&](int p, auto s) HWY_ATTR {
            return hn::Add(s, hn::LoadU(d, x + at + std::ptrdiff_t{p} * l.block));
        };
        sum_over_pixels(d, l.pixels(), term, sum + channel);
    });
}

template <class D>
HWY_ATTR void add_squares(D d, const Layout& l, const float* HWY_RESTRICT x, int samples,
                          const float* mean, double* sum) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto m = hn::LoadU(d, mean + channel);
        const auto term = [&](int p, auto s) HWY_ATTR {
            const auto deviation = hn::Sub(hn::LoadU(d, x + at + std::ptrdiff_t{p} * l.block), m);
            return hn::MulAdd(deviation, deviation, s);
        };
        sum_over_pixels(d, l.pixels(), term, sum + channel);
    });
}

template <class D>
HWY_ATTR void add_products(D d, const Layout& l, const float* HWY_RESTRICT x,
                           const float* HWY_RESTRICT dy, int samples, const float* mean,
                           double* sum, double* product) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto m = hn::LoadU(d, mean + channel);
        const auto gradient = [&](int p, auto s) HWY_ATTR {
            return hn::Add(s, hn::LoadU(d, dy + at + std::ptrdiff_t{p} * l.block));
        };
        const auto with_deviation = [&](int p, auto s) HWY_ATTR {
            const std::ptrdiff_t i = at + std::ptrdiff_t{p} * l.block;
            return hn::MulAdd(hn::LoadU(d, dy + i), hn::Sub(hn::LoadU(d, x + i), m), s);
        };
        sum_over_pixels(d, l.pixels(), gradient, sum + channel);
        sum_over_pixels(d, l.pixels(), with_deviation, product + channel);
    });
}

template <class D>
HWY_ATTR void apply(D d, const Layout& l, const float* HWY_RESTRICT x, const float* scale,
                    const float* shift, float* HWY_RESTRICT y, int samples) {
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto a = hn::LoadU(d, scale + channel), b = hn::LoadU(d, shift + channel);
        for (int p = 0; p < l.pixels(); ++p, at += l.block)
            hn::StoreU(hn::MulAdd(hn::LoadU(d, x + at), a, b), d, y + at);
    });
}

template <class D>
HWY_ATTR void backward(D d, const Layout& l, const float* HWY_RESTRICT x,
                       const float* HWY_RESTRICT dy, const BatchNormGradient& g, bool src_is_relu,
                       float* HWY_RESTRICT dx, int samples) {
    const auto zero = hn::Zero(d);
    for_each_vector_of(d, l, samples, [&](std::ptrdiff_t at, int channel) HWY_ATTR {
        const auto mean = hn::LoadU(d, &g.mean[static_cast<std::size_t>(channel)]);
        const auto scale = hn::LoadU(d, &g.scale[static_cast<std::size_t>(channel)]);
        const auto share = hn::LoadU(d, &g.sum_share[static_cast<std::size_t>(channel)]);
        const auto product = hn::LoadU(d, &g.product_share[static_cast<std::size_t>(channel)]);
        for (int p = 0; p < l.pixels(); ++p, at += l.block) {
            const auto value = hn::LoadU(d, x + at);
            const auto centred = hn::Sub(hn::LoadU(d, dy + at), share);
            auto diff = hn::Mul(scale, hn::NegMulAdd(hn::Sub(value, mean), product, centred));
            if (src_is_relu) diff = hn::IfThenElseZero(hn::Gt(value, zero), diff);
            hn::StoreU(diff, d, dx + at);
        }
    });
}

HWY_ATTR void AddSums(const Layout& l, const float* x, int samples, double* sum) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR { add_sums(d, l, x, samples, sum); });
}
HWY_ATTR void AddSquares(const Layout& l, const float* x, int samples, const float* mean,
                         double* sum) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR { add_squares(d, l, x, samples, mean, sum); });
}
HWY_ATTR void AddProducts(const Layout& l, const float* x, const float* dy, int samples,
                          const float* mean, double* sum, double* product) {
    with_vectors_of(
        l.block, [&](auto d) HWY_ATTR { add_products(d, l, x, dy, samples, mean, sum, product); });
}
HWY_ATTR void Apply(const Layout& l, const float* x, const float* scale, const float* shift,
                    float* y, int samples) {
    with_vectors_of(l.block, [&](auto d) HWY_ATTR { apply(d, l, x, scale, shift, y, samples); });
}
HWY_ATTR void Backward(const Layout& l, const float* x, const float* dy, const BatchNormGradient& g,
                       bool src_is_relu, float* dx, int samples) {
    with_vectors_of(l.block,
                    [&](auto d) HWY_ATTR { backward(d, l, x, dy, g, src_is_relu, dx, samples); });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(AddSums);
HWY_EXPORT(AddSquares);
HWY_EXPORT(AddProducts);
HWY_EXPORT(Apply);
HWY_EXPORT(Backward);

void batch_norm_moments(const Layout& layout, const float* x, int samples, std::span<float> centre,
                        std::span<double> mean, std::span<double> squares) {
    std::ranges::fill(mean, 0.0);
    std::ranges::fill(squares, 0.0);
    HWY_DYNAMIC_DISPATCH(AddSums)(layout, x, samples, mean.data());
    const double count = static_cast<double>(layout.pixels()) * samples;
    for (std::size_t c = 0; c < mean.size(); ++c) {
        mean[c] /= count;
        centre[c] = static_cast<float>(mean[c]);
    }
    HWY_DYNAMIC_DISPATCH(AddSquares)(layout, x, samples, centre.data(), squares.data());
    // sum (x - centre)^2 = sum (x - mean)^2 + n (mean - centre)^2
    for (std::size_t c = 0; c < mean.size(); ++c) {
        const double offset = mean[c] - static_cast<double>(centre[c]);
        squares[c] = std::max(0.0, squares[c] - count * offset * offset);
    }
}

void batch_norm_apply(const Layout& layout, const float* x, std::span<const float> scale,
                      std::span<const float> shift, float* y, int samples) {
    HWY_DYNAMIC_DISPATCH(Apply)(layout, x, scale.data(), shift.data(), y, samples);
}

void batch_norm_gradient_sums(const Layout& layout, const float* x, const float* diff_y,
                              std::span<const float> mean, int samples, std::span<double> sum,
                              std::span<double> product) {
    std::ranges::fill(sum, 0.0);
    std::ranges::fill(product, 0.0);
    HWY_DYNAMIC_DISPATCH(AddProducts)
    (layout, x, diff_y, samples, mean.data(), sum.data(), product.data());
}

void batch_norm_backward(const Layout& layout, const float* x, const float* diff_y,
                         const BatchNormGradient& gradient, bool src_is_relu, float* diff_x,
                         int samples) {
    HWY_DYNAMIC_DISPATCH(Backward)(layout, x, diff_y, gradient, src_is_relu, diff_x, samples);
}

}  // namespace lockstep::trainer
#endif
