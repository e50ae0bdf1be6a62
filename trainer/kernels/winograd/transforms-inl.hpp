// The transforms of Winograd's algorithm along one axis, on vectors of channels. Included once for
// each instruction set (Highway's foreach_target), so without the usual include guard.

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

// The points 0, a, -a, b, infinity, -b, in this order, with a = 5/8 and b = 3/2. Arrays of 6 are
// values at all of them, arrays of 5 at all but the last.
inline constexpr double kA = 0.625, kB = 1.5;
inline constexpr double kA2 = kA * kA, kB2 = kB * kB;
inline constexpr double kSum = kA2 + kB2, kProduct = kA2 * kB2;

// 1 / the product of a point's distances to the five others: the scale of its row of G.
inline constexpr double kScale0 = 1.0 / kProduct;
inline constexpr double kScaleA = 1.0 / (2.0 * kA2 * (kA2 - kB2));
inline constexpr double kScaleB = 1.0 / (2.0 * kB2 * (kB2 - kA2));

HWY_INLINE HWY_ATTR V constant(double value) { return hn::Set(D(), static_cast<float>(value)); }

// ---- B^T and B: pixels of the input ------------------------------------------------------------

// B^T x. A row holds the coefficients of the product of (t - point) over all points but its own;
// infinity's of all of them.
HWY_INLINE HWY_ATTR void transform_input(const V (&x)[6], V (&y)[6]) {
    const V a = constant(kA), b = constant(kB), a2 = constant(kA2), b2 = constant(kB2);
    const V sum = constant(kSum), product = constant(kProduct);
    y[0] = hn::MulAdd(product, x[0], hn::NegMulAdd(sum, x[2], x[4]));
    const V even_a = hn::NegMulAdd(b2, x[2], x[4]), odd_a = hn::NegMulAdd(b2, x[1], x[3]);
    y[1] = hn::MulAdd(a, odd_a, even_a);
    y[2] = hn::NegMulAdd(a, odd_a, even_a);
    const V even_b = hn::NegMulAdd(a2, x[2], x[4]), odd_b = hn::NegMulAdd(a2, x[1], x[3]);
    y[3] = hn::MulAdd(b, odd_b, even_b);
    y[4] = hn::MulAdd(product, x[1], hn::NegMulAdd(sum, x[3], x[5]));
    y[5] = hn::NegMulAdd(b, odd_b, even_b);
}

// Without -b. Each row but infinity's has the factor (point + b), so that the filters' frequencies
// are those of six points.
HWY_INLINE HWY_ATTR void transform_input(const V (&x)[5], V (&y)[5]) {
    const V a2 = constant(kA2), b = constant(kB);
    const V odd = hn::NegMulAdd(a2, x[1], x[3]);   // of t (t^2 - a^2)
    const V even = hn::NegMulAdd(a2, x[0], x[2]);  // of t^2 - a^2
    y[0] = hn::Mul(b, hn::NegMulAdd(b, even, odd));
    const V x2 = hn::NegMulAdd(b, x[2], x[3]), x1 = hn::NegMulAdd(b, x[1], x[2]);
    y[1] = hn::MulAdd(constant(kA * (kB + kA)), x1, hn::Mul(constant(kB + kA), x2));
    y[2] = hn::MulAdd(constant(-kA * (kB - kA)), x1, hn::Mul(constant(kB - kA), x2));
    y[3] = hn::Mul(constant(2.0 * kB), odd);
    y[4] = hn::NegMulAdd(b, odd, hn::NegMulAdd(a2, x[2], x[4]));
}

// B x, the transposes.
HWY_INLINE HWY_ATTR void transform_input_gradient(const V (&x)[6], V (&y)[6]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    const V plus_b = hn::Add(x[3], x[5]), minus_b = hn::Sub(x[3], x[5]);
    const V sum = constant(kSum), product = constant(kProduct);
    y[0] = hn::Mul(product, x[0]);
    y[1] = hn::NegMulAdd(constant(kA * kB2), minus_a,
                         hn::NegMulAdd(constant(kB * kA2), minus_b, hn::Mul(product, x[4])));
    y[2] = hn::NegMulAdd(constant(kB2), plus_a,
                         hn::NegMulAdd(constant(kA2), plus_b, hn::Mul(constant(-kSum), x[0])));
    y[3] =
        hn::MulAdd(constant(kA), minus_a, hn::NegMulAdd(sum, x[4], hn::Mul(constant(kB), minus_b)));
    y[4] = hn::Add(x[0], hn::Add(plus_a, plus_b));
    y[5] = x[4];
}
HWY_INLINE HWY_ATTR void transform_input_gradient(const V (&x)[5], V (&y)[5]) {
    const V a2 = constant(kA2), b = constant(kB);
    const V x0 = hn::Mul(b, x[0]);
    const V odd = hn::NegMulAdd(b, x[4], hn::MulAdd(constant(2.0 * kB), x[3], x0));
    const V even = hn::Mul(b, x0);  // negative
    const V a_3 = hn::MulAdd(constant(kB + kA), x[1], hn::Mul(constant(kB - kA), x[2]));
    const V a_2 =
        hn::MulAdd(constant(kA * (kB + kA)), x[1], hn::Mul(constant(-kA * (kB - kA)), x[2]));
    y[0] = hn::Mul(a2, even);
    y[1] = hn::NegMulAdd(b, a_2, hn::Mul(constant(-kA2), odd));
    y[2] = hn::NegMulAdd(b, a_3, hn::NegMulAdd(a2, x[4], hn::Sub(a_2, even)));
    y[3] = hn::Add(odd, a_3);
    y[4] = x[4];
}

// ---- A^T and A: pixels of the output -----------------------------------------------------------

// A^T x + shift, the powers of the points: 4 outputs of six points (three taps), 3 of five points
// (three taps), 4 of five points (two taps).
HWY_INLINE HWY_ATTR void transform_output(const V (&x)[6], V shift, V (&y)[4]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    const V plus_b = hn::Add(x[3], x[5]), minus_b = hn::Sub(x[3], x[5]);
    y[0] = hn::Add(hn::Add(x[0], shift), hn::Add(plus_a, plus_b));
    y[1] = hn::MulAdd(constant(kB), minus_b, hn::MulAdd(constant(kA), minus_a, shift));
    y[2] = hn::MulAdd(constant(kB2), plus_b, hn::MulAdd(constant(kA2), plus_a, shift));
    y[3] = hn::MulAdd(constant(kB * kB2), minus_b,
                      hn::MulAdd(constant(kA * kA2), minus_a, hn::Add(x[4], shift)));
}
HWY_INLINE HWY_ATTR void transform_output(const V (&x)[5], V shift, V (&y)[3]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    y[0] = hn::Add(hn::Add(x[0], shift), hn::Add(plus_a, x[3]));
    y[1] = hn::MulAdd(constant(kB), x[3], hn::MulAdd(constant(kA), minus_a, shift));
    y[2] = hn::MulAdd(constant(kB2), x[3], hn::MulAdd(constant(kA2), plus_a, hn::Add(x[4], shift)));
}
HWY_INLINE HWY_ATTR void transform_output(const V (&x)[5], V shift, V (&y)[4]) {
    const V plus_a = hn::Add(x[1], x[2]), minus_a = hn::Sub(x[1], x[2]);
    y[0] = hn::Add(hn::Add(x[0], shift), hn::Add(plus_a, x[3]));
    y[1] = hn::MulAdd(constant(kB), x[3], hn::MulAdd(constant(kA), minus_a, shift));
    y[2] = hn::MulAdd(constant(kB2), x[3], hn::MulAdd(constant(kA2), plus_a, shift));
    y[3] = hn::MulAdd(constant(kB * kB2), x[3],
                      hn::MulAdd(constant(kA * kA2), minus_a, hn::Add(x[4], shift)));
}

// A x, the transposes.
HWY_INLINE HWY_ATTR void transform_gradient(const V (&x)[4], V (&y)[6]) {
    const V even_a = hn::MulAdd(constant(kA2), x[2], x[0]);
    const V odd_a = hn::MulAdd(constant(kA2), x[3], x[1]);
    const V even_b = hn::MulAdd(constant(kB2), x[2], x[0]);
    const V odd_b = hn::MulAdd(constant(kB2), x[3], x[1]);
    y[0] = x[0];
    y[1] = hn::MulAdd(constant(kA), odd_a, even_a);
    y[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
    y[3] = hn::MulAdd(constant(kB), odd_b, even_b);
    y[4] = x[3];
    y[5] = hn::NegMulAdd(constant(kB), odd_b, even_b);
}
HWY_INLINE HWY_ATTR void transform_gradient(const V (&x)[3], V (&y)[5]) {
    const V even = hn::MulAdd(constant(kA2), x[2], x[0]);
    y[0] = x[0];
    y[1] = hn::MulAdd(constant(kA), x[1], even);
    y[2] = hn::NegMulAdd(constant(kA), x[1], even);
    y[3] = hn::MulAdd(constant(kB), x[1], hn::MulAdd(constant(kB2), x[2], x[0]));
    y[4] = x[2];
}
HWY_INLINE HWY_ATTR void transform_gradient(const V (&x)[4], V (&y)[5]) {
    const V even = hn::MulAdd(constant(kA2), x[2], x[0]);
    const V odd = hn::MulAdd(constant(kA2), x[3], x[1]);
    y[0] = x[0];
    y[1] = hn::MulAdd(constant(kA), odd, even);
    y[2] = hn::NegMulAdd(constant(kA), odd, even);
    y[3] = hn::MulAdd(constant(kB), hn::MulAdd(constant(kB2), x[3], x[1]),
                      hn::MulAdd(constant(kB2), x[2], x[0]));
    y[4] = x[3];
}

// ---- G and G^T: filters ------------------------------------------------------------------------

// G x, the scaled powers of the points: three taps at six points, two taps at five.
HWY_INLINE HWY_ATTR void transform_filter(const V (&x)[3], V (&y)[6]) {
    const V even_a = hn::Mul(constant(kScaleA), hn::MulAdd(constant(kA2), x[2], x[0]));
    const V even_b = hn::Mul(constant(kScaleB), hn::MulAdd(constant(kB2), x[2], x[0]));
    y[0] = hn::Mul(constant(kScale0), x[0]);
    y[1] = hn::MulAdd(constant(kScaleA * kA), x[1], even_a);
    y[2] = hn::NegMulAdd(constant(kScaleA * kA), x[1], even_a);
    y[3] = hn::MulAdd(constant(kScaleB * kB), x[1], even_b);
    y[4] = x[2];
    y[5] = hn::NegMulAdd(constant(kScaleB * kB), x[1], even_b);
}
HWY_INLINE HWY_ATTR void transform_filter(const V (&x)[2], V (&y)[5]) {
    const V even_a = hn::Mul(constant(kScaleA), x[0]);
    y[0] = hn::Mul(constant(kScale0), x[0]);
    y[1] = hn::MulAdd(constant(kScaleA * kA), x[1], even_a);
    y[2] = hn::NegMulAdd(constant(kScaleA * kA), x[1], even_a);
    y[3] = hn::MulAdd(constant(kScaleB * kB), x[1], hn::Mul(constant(kScaleB), x[0]));
    y[4] = x[1];
}

// G^T x, the transposes.
HWY_INLINE HWY_ATTR void transform_filter_gradient(const V (&x)[6], V (&y)[3]) {
    const V plus_a = hn::Mul(constant(kScaleA), hn::Add(x[1], x[2]));
    const V plus_b = hn::Mul(constant(kScaleB), hn::Add(x[3], x[5]));
    const V minus_a = hn::Sub(x[1], x[2]), minus_b = hn::Sub(x[3], x[5]);
    y[0] = hn::MulAdd(constant(kScale0), x[0], hn::Add(plus_a, plus_b));
    y[1] = hn::MulAdd(constant(kScaleA * kA), minus_a, hn::Mul(constant(kScaleB * kB), minus_b));
    y[2] = hn::MulAdd(constant(kA2), plus_a, hn::MulAdd(constant(kB2), plus_b, x[4]));
}
HWY_INLINE HWY_ATTR void transform_filter_gradient(const V (&x)[5], V (&y)[2]) {
    y[0] = hn::MulAdd(
        constant(kScale0), x[0],
        hn::MulAdd(constant(kScaleA), hn::Add(x[1], x[2]), hn::Mul(constant(kScaleB), x[3])));
    y[1] = hn::MulAdd(constant(kScaleA * kA), hn::Sub(x[1], x[2]),
                      hn::MulAdd(constant(kScaleB * kB), x[3], x[4]));
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
