// What deviations are taken from before the mean is known. Included once for each instruction set,
// inside of a file that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_BATCH_NORM_CENTRE) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_BATCH_NORM_CENTRE
#undef LOCKSTEP_BATCH_NORM_CENTRE
#else
#define LOCKSTEP_BATCH_NORM_CENTRE
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/layout.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Pixels whose mean is the centre.
inline constexpr int kCentrePixels = 16;

// Something near the mean of a vector of channels: that of the first pixels of the first sample.
// Deviations from it may be squared and summed in float32: these pixels are a fraction f of all, so
// the variance is at least f (1 - f) (centre - mean of the others)^2, and what cancels in the end
// is at most some 1 / f times larger than what stays.
template <class D>
HWY_ATTR HWY_INLINE hn::Vec<D> centre_of(D d, const Layout& l, const float* x) {
    const int pixels = std::min(l.pixels(), kCentrePixels);
    auto sum = hn::Zero(d);
    for (int p = 0; p < pixels; ++p, x += l.block) sum = hn::Add(sum, hn::LoadU(d, x));
    return hn::Mul(sum, hn::Set(d, 1.0F / static_cast<float>(pixels)));
}

// From sums of deviations from the centre and of their squares to the mean and squared deviations
// from it: sum (x - centre)^2 = sum (x - mean)^2 + n (mean - centre)^2.
inline void moments_from_sums(const float* centre, std::size_t lanes, double inv_count,
                              double* HWY_RESTRICT mean, double* HWY_RESTRICT squares) {
    for (std::size_t i = 0; i < lanes; ++i) {
        const double offset = mean[i] * inv_count;
        squares[i] = std::max(0.0, squares[i] - mean[i] * offset);
        mean[i] = static_cast<double>(centre[i]) + offset;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
