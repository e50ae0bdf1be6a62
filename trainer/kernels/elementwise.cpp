#include "trainer/kernels/elementwise.hpp"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/elementwise.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

HWY_ATTR void ReluForward(const float* x, float* y, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        hn::StoreU(hn::Max(hn::LoadU(d, x + i), hn::Zero(d)), d, y + i);
    });
}

HWY_ATTR void ReluBackward(const float* dst, float* diff, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto is_positive = hn::Gt(hn::LoadU(d, dst + i), hn::Zero(d));
        hn::StoreU(hn::IfThenElseZero(is_positive, hn::LoadU(d, diff + i)), d, diff + i);
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

template <class D, class V>
HWY_ATTR HWY_INLINE V multiply_high(D d, V a, V b) {
#if HWY_TARGET == HWY_SCALAR
    const auto product = std::uint64_t{hn::GetLane(a)} * hn::GetLane(b);
    return hn::Set(d, static_cast<std::uint32_t>(product >> 32));
#else
    const hn::RepartitionToWide<D> wide;
    const auto even = hn::BitCast(d, hn::ShiftRight<32>(hn::MulEven(a, b)));
    const auto odd_a = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a)));
    const auto odd_b = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, b)));
    return hn::OddEven(hn::BitCast(d, hn::MulEven(odd_a, odd_b)), even);
#endif
}

// Philox4x32-10 on a vector of counters that differ in the last word.
template <class D, class V>
HWY_ATTR HWY_INLINE void philox(D d, RandomKey key, const std::uint32_t counter[3], V last,
                                V words[4]) {
    const V m0 = hn::Set(d, 0xD2511F53U), m1 = hn::Set(d, 0xCD9E8D57U);
    V c0 = hn::Set(d, counter[0]), c1 = hn::Set(d, counter[1]), c2 = hn::Set(d, counter[2]);
    V c3 = last;
    std::uint32_t k0 = key.seed_low, k1 = key.seed_high;
    for (int round = 0; round < 10; ++round) {
        const V high0 = multiply_high(d, c0, m0), low0 = hn::Mul(c0, m0);
        const V high1 = multiply_high(d, c2, m1), low1 = hn::Mul(c2, m1);
        c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, k0));
        c1 = low1;
        c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, k1));
        c3 = low0;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

// Which of 128 elements are kept, as bytes 0 or 1: 16 counters of 8 draws each.
HWY_ATTR void draw_run(const DropoutDraw& draw, std::uint32_t run, std::uint8_t* kept) {
    const hn::CappedTag<std::uint32_t, 16> d;
    const hn::Rebind<std::uint8_t, decltype(d)> du8;
    const hn::Rebind<std::int32_t, decltype(d)> di;
    using V = decltype(hn::Zero(d));
    const auto threshold = hn::Set(di, static_cast<std::int32_t>(draw.threshold));
    const V half = hn::Set(d, 0xFFFFU);
    const auto one = hn::Set(di, 1);
    for (std::uint32_t lane = 0; lane < 16; lane += static_cast<std::uint32_t>(hn::Lanes(d))) {
        V words[4];
        philox(d, draw.key, draw.counter, hn::Iota(d, run * 16 + lane), words);
        for (std::size_t w = 0; w < 4; ++w) {
            const V draws[2] = {hn::And(words[w], half), hn::ShiftRight<16>(words[w])};
            for (std::size_t h = 0; h < 2; ++h) {
                const auto is_dropped = hn::Lt(hn::BitCast(di, draws[h]), threshold);
                hn::StoreU(hn::DemoteTo(du8, hn::IfThenZeroElse(is_dropped, one)), du8,
                           kept + (2 * w + h) * 16 + lane);
            }
        }
    }
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
    for (std::size_t begin = 0; begin < count; begin += kDropoutRun)
        draw_run(draw, static_cast<std::uint32_t>(begin / kDropoutRun), kept + begin);
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
HWY_EXPORT(ReluBackward);
HWY_EXPORT(AddTo);
HWY_EXPORT(ScalePixels);
HWY_EXPORT(AllFinite);
HWY_EXPORT(DropoutForward);
HWY_EXPORT(DropoutBackward);

void relu_forward(const float* x, float* y, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ReluForward)(x, y, count);
}
void relu_backward(const float* relu_dst, float* diff, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ReluBackward)(relu_dst, diff, count);
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
