// Loops that Highway's kernels share. Compiled once for each instruction set, inside of a file that
// <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_SIMD_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_SIMD_LOOPS
#undef LOCKSTEP_SIMD_LOOPS
#else
#define LOCKSTEP_SIMD_LOOPS
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FullVector = hn::ScalableTag<float>;
using OneFloat = hn::CappedTag<float, 1>;

// body(tag, i) over flat arrays: full vectors, then single elements. Each element is computed
// alone, so its bits are the same in both.
template <class Body>
HWY_ATTR HWY_INLINE void for_each_vector(std::size_t count, Body body) {
    const FullVector d;
    const OneFloat one;
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) body(d, i);
    for (; i < count; ++i) body(one, i);
}

// body(tag) for a block of channels: full vectors where they divide it, single channels elsewhere
// (three colours).
template <class Body>
HWY_ATTR HWY_INLINE void with_vectors_of(int block, Body body) {
    if (block % static_cast<int>(hn::Lanes(FullVector())) == 0)
        body(FullVector());
    else
        body(OneFloat());
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
