// Sums over the pixels of a vector of channels: in float32 over a run of pixels, in double from
// there on. Included once for each instruction set, inside of a file that <hwy/foreach_target.h>
// includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_CHANNEL_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_CHANNEL_SUMS
#undef LOCKSTEP_CHANNEL_SUMS
#else
#define LOCKSTEP_CHANNEL_SUMS
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/layout.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Pixels that are added up in float32 before the sum goes on in double.
inline constexpr int kFloatRun = 64;

// A sum in double for every lane of a vector of floats, in registers.
template <class D>
class DoubleSum;
#if HWY_TARGET != HWY_SCALAR
template <class D>
class DoubleSum {
    using Half = hn::Half<D>;
    using Wide = hn::Rebind<double, Half>;
    hn::Vec<Wide> lower_, upper_;

public:
    HWY_ATTR DoubleSum() : lower_(hn::Zero(Wide())), upper_(hn::Zero(Wide())) {}
    HWY_ATTR HWY_INLINE void add(hn::Vec<D> value) {
        lower_ = hn::Add(lower_, hn::PromoteTo(Wide(), hn::LowerHalf(Half(), value)));
        upper_ = hn::Add(upper_, hn::PromoteTo(Wide(), hn::UpperHalf(Half(), value)));
    }
    HWY_ATTR HWY_INLINE void store(double* sum) const {
        hn::StoreU(lower_, Wide(), sum);
        hn::StoreU(upper_, Wide(), sum + hn::Lanes(Wide()));
    }
};
#endif
template <>
class DoubleSum<hn::CappedTag<float, 1>> {
    using D = hn::CappedTag<float, 1>;
    double sum_ = 0.0;

public:
    HWY_ATTR HWY_INLINE void add(hn::Vec<D> value) {
        sum_ += static_cast<double>(hn::GetLane(value));
    }
    HWY_ATTR HWY_INLINE void store(double* sum) const { *sum = sum_; }
};

// The two sums of a statistic: of a value, and of its product with something.
template <class D>
struct SumPair {
    DoubleSum<D> value, product;
};

// Adds, for pixels [0, pixels), what term(pixel, value_sum, product_sum) adds to its two vectors.
// Four chains of additions: an addition's latency times the loads a core does in a cycle.
template <class D, class Term>
HWY_ATTR HWY_INLINE void add_over_pixels(D d, int pixels, Term term, SumPair<D>& sums) {
    for (int begin = 0; begin < pixels; begin += kFloatRun) {
        const int end = std::min(begin + kFloatRun, pixels);
        auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
        auto t0 = s0, t1 = s0, t2 = s0, t3 = s0;
        int p = begin;
        for (; p + 4 <= end; p += 4) {
            term(p, s0, t0);
            term(p + 1, s1, t1);
            term(p + 2, s2, t2);
            term(p + 3, s3, t3);
        }
        for (; p < end; ++p) term(p, s0, t0);
        sums.value.add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
        sums.product.add(hn::Add(hn::Add(t0, t1), hn::Add(t2, t3)));
    }
}

// Calls piece(offset of the first sample's pixels, first channel) for every vector of channels.
template <class D, class Piece>
HWY_ATTR HWY_INLINE void for_each_channel_vector(D d, const Layout& l, Piece piece) {
    const int lanes = static_cast<int>(hn::Lanes(d));
    const std::ptrdiff_t block_size = std::ptrdiff_t{l.pixels()} * l.block;
    for (int cb = 0; cb < l.channel_blocks(); ++cb)
        for (int v = 0; v < l.block; v += lanes) piece(cb * block_size + v, cb * l.block + v);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
