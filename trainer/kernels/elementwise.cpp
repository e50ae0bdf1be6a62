#include "trainer/kernels/elementwise.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/elementwise.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/dropout_draw-inl.hpp"
#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

HWY_ATTR void ReluForward(const float* x, float* y, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        hn::StoreU(hn::Max(hn::LoadU(d, x + i), hn::Zero(d)), d, y + i);
    });
}

HWY_ATTR void ReluGradient(const float* dst, const float* diff_dst, float* diff_src,
                           std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto is_positive = hn::Gt(hn::LoadU(d, dst + i), hn::Zero(d));
        hn::StoreU(hn::IfThenElseZero(is_positive, hn::LoadU(d, diff_dst + i)), d, diff_src + i);
    });
}

HWY_ATTR void AddForward(const float* a, const float* b, bool has_relu, float* dst,
                         std::size_t count) {
    if (has_relu) {
        for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
            const auto sum = hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
            hn::StoreU(hn::Max(sum, hn::Zero(d)), d, dst + i);
        });
    } else {
        for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
            hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, dst + i);
        });
    }
}

HWY_ATTR void Multiply(const float* a, const float* b, float* dst, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, dst + i);
    });
}

HWY_ATTR void Rescale(const float* x, float scale, float offset, float* y, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto scaled = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, scale));
        hn::StoreU(hn::Add(scaled, hn::Set(d, offset)), d, y + i);
    });
}

HWY_ATTR void AddTo(float* sum, const float* part, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        hn::StoreU(hn::Add(hn::LoadU(d, sum + i), hn::LoadU(d, part + i)), d, sum + i);
    });
}

HWY_ATTR void ScalePixels(const std::uint8_t* pixels, float offset, float divisor, float* values,
                          std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const hn::Rebind<std::int32_t, decltype(d)> di;
        const hn::Rebind<std::uint8_t, decltype(d)> du8;
        const auto pixel = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(du8, pixels + i)));
        hn::StoreU(hn::Div(hn::Sub(pixel, hn::Set(d, offset)), hn::Set(d, divisor)), d, values + i);
    });
}

// x - x is zero for finite x and NaN otherwise, and a sum with a NaN in it is NaN.
HWY_ATTR bool AllFinite(const float* values, std::size_t count) {
    const hn::ScalableTag<float> d;
    auto sum = hn::Zero(d);
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        const auto v = hn::LoadU(d, values + i);
        sum = hn::Add(sum, hn::Sub(v, v));
    }
    float rest = 0.0F;
    for (; i < count; ++i) rest += values[i] - values[i];
    return rest == 0.0F && hn::AllTrue(d, hn::Eq(sum, hn::Zero(d)));
}

HWY_ATTR void apply_mask(const std::uint8_t* kept, float scale, const float* src, float* dst,
                         std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const hn::Rebind<std::int32_t, decltype(d)> di;
        const hn::Rebind<std::uint8_t, decltype(d)> du8;
        const auto keep = hn::PromoteTo(di, hn::LoadU(du8, kept + i));
        const auto is_kept = hn::RebindMask(d, hn::Gt(keep, hn::Zero(di)));
        const auto scaled = hn::Mul(hn::LoadU(d, src + i), hn::Set(d, scale));
        hn::StoreU(hn::IfThenElseZero(is_kept, scaled), d, dst + i);
    });
}

HWY_ATTR void DropoutForward(const DropoutDraw& draw, const float* src, float* dst,
                             std::uint8_t* kept, std::size_t count) {
    draw_elements(draw, count, kept);
    apply_mask(kept, draw.scale, src, dst, count);
}

HWY_ATTR void DropoutBackward(const std::uint8_t* kept, float scale, const float* diff_dst,
                              float* diff_src, std::size_t count) {
    apply_mask(kept, scale, diff_dst, diff_src, count);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(ReluForward);
HWY_EXPORT(ReluGradient);
HWY_EXPORT(AddForward);
HWY_EXPORT(Multiply);
HWY_EXPORT(Rescale);
HWY_EXPORT(AddTo);
HWY_EXPORT(ScalePixels);
HWY_EXPORT(AllFinite);
HWY_EXPORT(DropoutForward);
HWY_EXPORT(DropoutBackward);

void relu_forward(const float* x, float* y, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ReluForward)(x, y, count);
}
void relu_gradient(const float* relu_dst, const float* diff_dst, float* diff_src,
                   std::size_t count) {
    if (relu_dst != nullptr)
        HWY_DYNAMIC_DISPATCH(ReluGradient)(relu_dst, diff_dst, diff_src, count);
    else if (diff_src != diff_dst)
        std::copy_n(diff_dst, count, diff_src);
}
void relu_backward(const float* relu_dst, float* diff, std::size_t count) {
    relu_gradient(relu_dst, diff, diff, count);
}
void add_forward(const float* a, const float* b, bool has_relu, float* dst, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(AddForward)(a, b, has_relu, dst, count);
}
void multiply(const float* a, const float* b, float* dst, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(Multiply)(a, b, dst, count);
}
void rescale(const float* x, float scale, float offset, float* y, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(Rescale)(x, scale, offset, y, count);
}
void add_to(float* sum, const float* part, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(AddTo)(sum, part, count);
}
void scale_pixels(const std::uint8_t* pixels, float offset, float divisor, float* values,
                  std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ScalePixels)(pixels, offset, divisor, values, count);
}
bool all_finite(const float* values, std::size_t count) {
    return HWY_DYNAMIC_DISPATCH(AllFinite)(values, count);
}
void dropout_forward(const DropoutDraw& draw, const float* src, float* dst, std::uint8_t* kept,
                     std::size_t count) {
    HWY_DYNAMIC_DISPATCH(DropoutForward)(draw, src, dst, kept, count);
}
void dropout_backward(const std::uint8_t* kept, float scale, const float* diff_dst, float* diff_src,
                      std::size_t count) {
    HWY_DYNAMIC_DISPATCH(DropoutBackward)(kept, scale, diff_dst, diff_src, count);
}

}  // namespace lockstep::trainer
#endif
