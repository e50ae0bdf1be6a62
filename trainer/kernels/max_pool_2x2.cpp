#include "trainer/kernels/max_pool_2x2.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/max_pool_2x2.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/dropout_draw-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"
#include "trainer/kernels/windows_2x2-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// A window's maximum and its place. Strictly more, one value after another: ties keep the first,
// and a NaN stays only where it stands first.
template <class D>
struct WindowMaximum {
    using DI = hn::Rebind<std::int32_t, D>;
    hn::Vec<D> value;
    hn::Vec<DI> place;

    explicit HWY_ATTR HWY_INLINE WindowMaximum(hn::Vec<D> first)
        : value(first), place(hn::Zero(DI())) {}
    HWY_ATTR HWY_INLINE void take(hn::Vec<D> other, int its_place) {
        const auto is_more = hn::Gt(other, value);
        value = hn::IfThenElse(is_more, other, value);
        place = hn::IfThenElse(hn::RebindMask(DI(), is_more), hn::Set(DI(), its_place), place);
    }
    HWY_ATTR HWY_INLINE void end_route_unless(hn::Mask<D> goes_on) {
        place = hn::IfThenElse(hn::RebindMask(DI(), goes_on), place, hn::Set(DI(), kNoRoute));
    }
};

// One vector of channels of one sample. load(offset): values before pooling. Where kDrops, routes
// come in as bytes 0 or 1: whether an element is kept.
template <bool kDrops, class D, class Load>
HWY_ATTR HWY_INLINE void pool_forward(D d, const PoolingShape& s, Load load, bool src_is_relu,
                                      float dropout_scale, float* HWY_RESTRICT y,
                                      PoolRoute* HWY_RESTRICT routes) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PoolRoute, D> d_route;
    const std::ptrdiff_t block = s.src.block, row = s.src.width * block;
    const int width = s.dst.width;
    const auto zero = hn::Zero(d), scale = hn::Set(d, dropout_scale);
    for_each_window_row(s, [&](std::ptrdiff_t at, std::ptrdiff_t out) HWY_ATTR {
        for (int ow = 0; ow < width; ++ow, at += 2 * block, out += block) {
            WindowMaximum<D> maximum(load(at));
            maximum.take(load(at + block), 1);
            maximum.take(load(at + row), 2);
            maximum.take(load(at + row + block), 3);
            auto value = maximum.value;
            if (src_is_relu) maximum.end_route_unless(hn::Gt(value, zero));
            if constexpr (kDrops) {
                const auto keep = hn::PromoteTo(di, hn::LoadU(d_route, routes + out));
                const auto is_kept = hn::RebindMask(d, hn::Gt(keep, hn::Zero(di)));
                maximum.end_route_unless(is_kept);
                value = hn::IfThenElseZero(is_kept, hn::Mul(value, scale));
            }
            hn::StoreU(value, d, y + out);
            if (routes != nullptr)
                hn::StoreU(hn::DemoteTo(d_route, maximum.place), d_route, routes + out);
        }
    });
}

// One sample. scale and shift: of the batch normalization, if kIsNormalized.
template <bool kIsNormalized, bool kDrops, class D>
HWY_ATTR void pool_sample(D d, const PoolingShape& s, const float* HWY_RESTRICT x,
                          const float* scale, const float* shift, bool src_is_relu,
                          float dropout_scale, float* y, PoolRoute* routes) {
    for_each_pooled_vector(d, s, [&](const ChannelVector& v) HWY_ATTR {
        const float* first = x + v.src;
        auto a = hn::Zero(d), b = a;
        if constexpr (kIsNormalized)
            a = hn::LoadU(d, scale + v.channel), b = hn::LoadU(d, shift + v.channel);
        const auto load = [&](std::ptrdiff_t at) HWY_ATTR {
            const auto value = hn::LoadU(d, first + at);
            if constexpr (kIsNormalized)
                return hn::MulAdd(value, a, b);
            else
                return value;
        };
        pool_forward<kDrops>(d, s, load, src_is_relu, dropout_scale, y + v.dst,
                             routes == nullptr ? nullptr : routes + v.dst);
    });
}

template <bool kIsNormalized>
HWY_ATTR void pool_samples(const PoolingShape& s, const float* x, const float* scale,
                           const float* shift, bool src_is_relu, Pooled pooled, int samples) {
    for (int n = 0; n < samples; ++n) {
        if (pooled.draw != nullptr) {
            DropoutDraw draw = *pooled.draw;
            draw.counter[2] += static_cast<std::uint32_t>(n);
            draw_elements(draw, s.dst.sample_size(), pooled.routes);
        }
        with_vectors_of(s.src.block, [&](auto d) HWY_ATTR {
            if (pooled.draw != nullptr)
                pool_sample<kIsNormalized, true>(d, s, x, scale, shift, src_is_relu,
                                                 pooled.draw->scale, pooled.y, pooled.routes);
            else
                pool_sample<kIsNormalized, false>(d, s, x, scale, shift, src_is_relu, 1.0F,
                                                  pooled.y, pooled.routes);
        });
        x += s.src.sample_size();
        pooled.y += s.dst.sample_size();
        if (pooled.routes != nullptr) pooled.routes += s.dst.sample_size();
    }
}

template <class D>
HWY_ATTR void pool_backward(D d, const PoolingShape& s, const PooledGradient& pooled,
                            float* HWY_RESTRICT dx) {
    const hn::Rebind<std::int32_t, D> di;
    const hn::Rebind<PoolRoute, D> d_route;
    const std::ptrdiff_t block = s.src.block, row = s.src.width * block;
    const int width = s.dst.width;
    const auto scale = hn::Set(d, pooled.dropout_scale);
    for_each_pooled_vector(d, s, [&](const ChannelVector& v) HWY_ATTR {
        float* to = dx + v.src;
        for_each_window_row(s, [&](std::ptrdiff_t at, std::ptrdiff_t out) HWY_ATTR {
            out += v.dst;
            for (int ow = 0; ow < width; ++ow, at += 2 * block, out += block) {
                const auto diff = hn::Mul(hn::LoadU(d, pooled.diff_y + out), scale);
                const auto route = hn::PromoteTo(di, hn::LoadU(d_route, pooled.routes + out));
                const auto led_to = [&](int place) HWY_ATTR {
                    const auto is_here = hn::RebindMask(d, hn::Eq(route, hn::Set(di, place)));
                    return hn::IfThenElseZero(is_here, diff);
                };
                hn::StoreU(led_to(0), d, to + at);
                hn::StoreU(led_to(1), d, to + at + block);
                hn::StoreU(led_to(2), d, to + at + row);
                hn::StoreU(led_to(3), d, to + at + row + block);
            }
        });
        for_each_pixel_outside(
            s, [&](std::ptrdiff_t at) HWY_ATTR { hn::StoreU(hn::Zero(d), d, to + at); });
    });
}

HWY_ATTR void Forward(const PoolingShape& s, const float* x, bool src_is_relu, const Pooled& pooled,
                      int samples) {
    pool_samples<false>(s, x, nullptr, nullptr, src_is_relu, pooled, samples);
}
HWY_ATTR void NormalizedForward(const PoolingShape& s, const float* x, const float* scale,
                                const float* shift, const Pooled& pooled, int samples) {
    pool_samples<true>(s, x, scale, shift, false, pooled, samples);
}
HWY_ATTR void Backward(const PoolingShape& s, PooledGradient pooled, float* dx, int samples) {
    for (int n = 0; n < samples; ++n, dx += s.src.sample_size()) {
        with_vectors_of(s.src.block, [&](auto d) HWY_ATTR { pool_backward(d, s, pooled, dx); });
        pooled.diff_y += s.dst.sample_size();
        pooled.routes += s.dst.sample_size();
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Forward);
HWY_EXPORT(NormalizedForward);
HWY_EXPORT(Backward);

bool is_max_pool_2x2(const PoolingShape& s) {
    const auto is_plain = [&](std::size_t axis, int size, int windows) {
        return s.pool_size[axis] == 2 && s.strides[axis] == 2 && s.pad_before[axis] == 0 &&
               2 * windows <= size;
    };
    return is_plain(0, s.src.height, s.dst.height) && is_plain(1, s.src.width, s.dst.width);
}

void max_pool_2x2_forward(const PoolingShape& shape, const float* x, bool src_is_relu,
                          const Pooled& pooled, int samples) {
    HWY_DYNAMIC_DISPATCH(Forward)(shape, x, src_is_relu, pooled, samples);
}

void max_pool_2x2_backward(const PoolingShape& shape, const PooledGradient& pooled, float* diff_x,
                           int samples) {
    HWY_DYNAMIC_DISPATCH(Backward)(shape, pooled, diff_x, samples);
}

void batch_norm_max_pool_2x2_forward(const PoolingShape& shape, const float* x,
                                     std::span<const float> scale, std::span<const float> shift,
                                     const Pooled& pooled, int samples) {
    HWY_DYNAMIC_DISPATCH(NormalizedForward)
    (shape, x, scale.data(), shift.data(), pooled, samples);
}

}  // namespace lockstep::trainer
#endif
