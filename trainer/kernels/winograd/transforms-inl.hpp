// The three transforms of a tile, on one vector of channels. Included once for each instruction
// set (Highway's foreach_target), so without the usual include guard.

#if defined(LOCKSTEP_WINOGRAD_TRANSFORMS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_TRANSFORMS
#undef LOCKSTEP_WINOGRAD_TRANSFORMS
#else
#define LOCKSTEP_WINOGRAD_TRANSFORMS
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

inline constexpr int kTile = 6;          // pixels of the input a tile needs, a side
inline constexpr int kOut = 4;           // pixels of the output it gives
inline constexpr int kTaps = 3;          // of a filter
inline constexpr int kFrequencies = 36;  // kTile x kTile

// The points a = 5/8 and b = 3/2, and what follows from them.
inline constexpr double kA = 0.625, kB = 1.5;
inline constexpr double kA2 = kA * kA, kB2 = kB * kB;
inline constexpr double kSum = kA2 + kB2, kProduct = kA2 * kB2;

HWY_INLINE HWY_ATTR V constant(double value) { return hn::Set(D(), static_cast<float>(value)); }

// B^T x: 6 -> 6. Its rows are the coefficients of the products of (t - point) over all points but
// one; the last row's of all of them.
HWY_INLINE HWY_ATTR void transform_input(const V x[kTile], V y[kTile]) {
    const V a = constant(kA), b = constant(kB), a2 = constant(kA2), b2 = constant(kB2);
    const V sum = constant(kSum), product = constant(kProduct);
    y[0] = hn::MulAdd(product, x[0], hn::NegMulAdd(sum, x[2], x[4]));
    const V even_a = hn::NegMulAdd(b2, x[2], x[4]);
    const V odd_a = hn::Mul(a, hn::NegMulAdd(b2, x[1], x[3]));
    y[1] = hn::Add(even_a, odd_a);
    y[2] = hn::Sub(even_a, odd_a);
    const V even_b = hn::NegMulAdd(a2, x[2], x[4]);
    const V odd_b = hn::Mul(b, hn::NegMulAdd(a2, x[1], x[3]));
    y[3] = hn::Add(even_b, odd_b);
    y[4] = hn::Sub(even_b, odd_b);
    y[5] = hn::MulAdd(product, x[1], hn::NegMulAdd(sum, x[3], x[5]));
}

// A^T x: 6 -> 4, the powers 0 to 3 of the points.
HWY_INLINE HWY_ATTR void transform_output(const V x[kTile], V y[kOut]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    const V plus_b = hn::Add(x[3], x[4]), minus_b = hn::Sub(x[3], x[4]);
    y[0] = hn::Add(x[0], hn::Add(plus_a, plus_b));
    y[1] = hn::MulAdd(constant(kB), minus_b, hn::Mul(constant(kA), minus_a));
    y[2] = hn::MulAdd(constant(kB2), plus_b, hn::Mul(constant(kA2), plus_a));
    y[3] = hn::MulAdd(constant(kB * kB2), minus_b, hn::MulAdd(constant(kA * kA2), minus_a, x[5]));
}

// A x: 4 -> 6, the transpose of transform_output().
HWY_INLINE HWY_ATTR void transform_gradient(const V x[kOut], V y[kTile]) {
    y[0] = x[0];
    const V even_a = hn::MulAdd(constant(kA2), x[2], x[0]);
    const V odd_a = hn::MulAdd(constant(kA * kA2), x[3], hn::Mul(constant(kA), x[1]));
    y[1] = hn::Add(even_a, odd_a);
    y[2] = hn::Sub(even_a, odd_a);
    const V even_b = hn::MulAdd(constant(kB2), x[2], x[0]);
    const V odd_b = hn::MulAdd(constant(kB * kB2), x[3], hn::Mul(constant(kB), x[1]));
    y[3] = hn::Add(even_b, odd_b);
    y[4] = hn::Sub(even_b, odd_b);
    y[5] = x[3];
}

// B x: 6 -> 6, the transpose of transform_input().
HWY_INLINE HWY_ATTR void transform_input_gradient(const V x[kTile], V y[kTile]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    const V plus_b = hn::Add(x[3], x[4]), minus_b = hn::Sub(x[3], x[4]);
    const V sum = constant(kSum), product = constant(kProduct);
    y[0] = hn::Mul(product, x[0]);
    y[1] = hn::NegMulAdd(constant(kA * kB2), minus_a,
                         hn::NegMulAdd(constant(kB * kA2), minus_b, hn::Mul(product, x[5])));
    y[2] = hn::NegMulAdd(constant(kB2), plus_a,
                         hn::NegMulAdd(constant(kA2), plus_b, hn::Neg(hn::Mul(sum, x[0]))));
    y[3] =
        hn::MulAdd(constant(kA), minus_a, hn::NegMulAdd(sum, x[5], hn::Mul(constant(kB), minus_b)));
    y[4] = hn::Add(x[0], hn::Add(plus_a, plus_b));
    y[5] = x[5];
}

// 1 / the product of a point's distances to the other points: the scale of its row of G.
inline constexpr double kScale0 = 1.0 / kProduct;
inline constexpr double kScaleA = 1.0 / (2.0 * kA2 * (kA2 - kB2));
inline constexpr double kScaleB = 1.0 / (2.0 * kB2 * (kB2 - kA2));

// G x: 3 -> 6, the scaled powers 0 to 2 of the points.
HWY_INLINE HWY_ATTR void transform_filter(const V x[kTaps], V y[kTile]) {
    y[0] = hn::Mul(constant(kScale0), x[0]);
    const V even_a = hn::Mul(constant(kScaleA), hn::MulAdd(constant(kA2), x[2], x[0]));
    const V odd_a = hn::Mul(constant(kScaleA * kA), x[1]);
    y[1] = hn::Add(even_a, odd_a);
    y[2] = hn::Sub(even_a, odd_a);
    const V even_b = hn::Mul(constant(kScaleB), hn::MulAdd(constant(kB2), x[2], x[0]));
    const V odd_b = hn::Mul(constant(kScaleB * kB), x[1]);
    y[3] = hn::Add(even_b, odd_b);
    y[4] = hn::Sub(even_b, odd_b);
    y[5] = x[2];
}

// G^T x: 6 -> 3, the transpose of transform_filter().
HWY_INLINE HWY_ATTR void transform_filter_gradient(const V x[kTile], V y[kTaps]) {
    const V plus_a = hn::Mul(constant(kScaleA), hn::Add(x[1], x[2]));
    const V minus_a = hn::Mul(constant(kScaleA * kA), hn::Sub(x[1], x[2]));
    const V plus_b = hn::Mul(constant(kScaleB), hn::Add(x[3], x[4]));
    const V minus_b = hn::Mul(constant(kScaleB * kB), hn::Sub(x[3], x[4]));
    y[0] = hn::MulAdd(constant(kScale0), x[0], hn::Add(plus_a, plus_b));
    y[1] = hn::Add(minus_a, minus_b);
    y[2] = hn::MulAdd(constant(kA2), plus_a, hn::MulAdd(constant(kB2), plus_b, x[5]));
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
