// The gradient of a batch normalization for a vector of channels. Included once for each
// instruction set, inside of a file that <hwy/foreach_target.h> includes again and again, hence no
// #pragma once.

#if defined(LOCKSTEP_BATCH_NORM_GRADIENT) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_BATCH_NORM_GRADIENT
#undef LOCKSTEP_BATCH_NORM_GRADIENT
#else
#define LOCKSTEP_BATCH_NORM_GRADIENT
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "trainer/kernels/batch_norm.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The same one in all lanes, of a plane.
struct OneChannel {
    std::size_t channel;
};

template <class D>
class GradientVectors {
    using V = hn::Vec<D>;
    V mean_, scale_, share_, product_;
    bool src_is_relu_;

public:
    HWY_ATTR HWY_INLINE GradientVectors(D d, const BatchNormGradient& g, int channel,
                                        bool src_is_relu)
        : mean_(hn::LoadU(d, g.mean.data() + channel)),
          scale_(hn::LoadU(d, g.scale.data() + channel)),
          share_(hn::LoadU(d, g.sum_share.data() + channel)),
          product_(hn::LoadU(d, g.product_share.data() + channel)),
          src_is_relu_(src_is_relu) {}
    HWY_ATTR HWY_INLINE GradientVectors(D d, const BatchNormGradient& g, OneChannel one,
                                        bool src_is_relu)
        : mean_(hn::Set(d, g.mean[one.channel])),
          scale_(hn::Set(d, g.scale[one.channel])),
          share_(hn::Set(d, g.sum_share[one.channel])),
          product_(hn::Set(d, g.product_share[one.channel])),
          src_is_relu_(src_is_relu) {}
    HWY_ATTR HWY_INLINE V diff_x(V x, V diff_y) const {
        const V centred = hn::Sub(diff_y, share_);
        const V diff = hn::Mul(scale_, hn::NegMulAdd(hn::Sub(x, mean_), product_, centred));
        return src_is_relu_ ? hn::IfThenElseZero(hn::Gt(x, hn::Zero(D())), diff) : diff;
    }
};

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
