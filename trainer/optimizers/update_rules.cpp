#include "trainer/optimizers/update_rules.hpp"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/optimizers/update_rules.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// A slot decays towards zero and, by rounding, never gets there: it would stay among the denormal
// numbers, which many CPUs compute with a hundred times slower. NaN stays.
template <class D, class V>
HWY_ATTR HWY_INLINE V zero_below(D d, float least, V slot) {
    return hn::IfThenZeroElse(hn::Lt(hn::Abs(slot), hn::Set(d, least)), slot);
}

// A weight that nothing but decay moves ends at zero, as slots do. Where nothing decays, no bit of
// it is touched.
template <class D, class V>
HWY_ATTR HWY_INLINE V decayed(D d, const WeightTerms& terms, V weight) {
    if (terms.decay == 0.0F) return weight;
    return zero_below(d, kLeastNormal, hn::NegMulAdd(hn::Set(d, terms.decay), weight, weight));
}

// The gradient of a weight with what its terms make of it.
template <class D>
HWY_ATTR HWY_INLINE hn::Vec<D> whole_gradient(D d, const WeightTerms& terms, const float* g,
                                              const float* w) {
    auto gradient = hn::LoadU(d, g);
    if (terms.l2_slope != 0.0F)
        gradient = hn::MulAdd(hn::Set(d, terms.l2_slope), hn::LoadU(d, w), gradient);
    if (terms.gradient_scale != 1.0F)
        gradient = hn::Mul(gradient, hn::Set(d, terms.gradient_scale));
    return gradient;
}

HWY_ATTR void Sgd(const SgdStep& s, const float* g, float* w, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto lr = hn::Set(d, s.learning_rate);
        const auto weight = decayed(d, s.terms, hn::LoadU(d, w + i));
        hn::StoreU(hn::NegMulAdd(lr, whole_gradient(d, s.terms, g + i, w + i), weight), d, w + i);
    });
}

HWY_ATTR void SgdMomentum(const SgdStep& s, const float* g, float* velocity, float* w,
                          std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto step =
            hn::Mul(hn::Set(d, s.learning_rate), whole_gradient(d, s.terms, g + i, w + i));
        const auto momentum = hn::Set(d, s.momentum);
        const auto v = zero_below(d, kLeastNormal,
                                  hn::Sub(hn::Mul(momentum, hn::LoadU(d, velocity + i)), step));
        const auto move = s.nesterov ? hn::Sub(hn::Mul(momentum, v), step) : v;
        hn::StoreU(v, d, velocity + i);
        hn::StoreU(hn::Add(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

// Both moments of Adam's kin, in Keras' form: m += (g - m)(1 - b1), v += (g^2 - v)(1 - b2).
template <class D, class Step>
HWY_ATTR HWY_INLINE void take_moments(D d, const Step& s, float least_v, hn::Vec<D> gradient,
                                      float* m, float* v) {
    const auto m_old = hn::LoadU(d, m), v_old = hn::LoadU(d, v);
    hn::StoreU(
        zero_below(d, kLeastNormal,
                   hn::MulAdd(hn::Sub(gradient, m_old), hn::Set(d, s.one_minus_beta_1), m_old)),
        d, m);
    hn::StoreU(zero_below(d, least_v,
                          hn::MulAdd(hn::Sub(hn::Mul(gradient, gradient), v_old),
                                     hn::Set(d, s.one_minus_beta_2), v_old)),
               d, v);
}

HWY_ATTR void Adam(const AdamStep& s, const float* g, float* m, float* v, float* w,
                   std::size_t count) {
    const float least_v = least_second_moment(s);
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        take_moments(d, s, least_v, gradient, m + i, v + i);
        const auto move = hn::Div(hn::Mul(hn::Set(d, s.rate), hn::LoadU(d, m + i)),
                                  hn::Add(hn::Sqrt(hn::LoadU(d, v + i)), hn::Set(d, s.epsilon)));
        hn::StoreU(hn::Sub(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

HWY_ATTR void Rmsprop(const RmspropStep& s, const float* g, float* v, float* accumulated, float* w,
                      std::size_t count) {
    const float least_v = least_second_moment(s);
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        const auto v_new =
            zero_below(d, least_v,
                       hn::MulAdd(hn::Set(d, s.rho), hn::LoadU(d, v + i),
                                  hn::Mul(hn::Set(d, 1.0F - s.rho), hn::Mul(gradient, gradient))));
        auto move = hn::Div(hn::Mul(hn::Set(d, s.learning_rate), gradient),
                            hn::Sqrt(hn::Add(v_new, hn::Set(d, s.epsilon))));
        if (accumulated != nullptr) {
            move =
                zero_below(d, kLeastNormal,
                           hn::MulAdd(hn::Set(d, s.momentum), hn::LoadU(d, accumulated + i), move));
            hn::StoreU(move, d, accumulated + i);
        }
        hn::StoreU(v_new, d, v + i);
        hn::StoreU(hn::Sub(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

// A weight whose gradient has died goes on by the sign of its momentum, however small, until that
// is zero.
HWY_ATTR void Lion(const LionStep& s, const float* g, float* m, float* w, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto mixed = [=](float beta, auto momentum, auto gradient) HWY_ATTR {
            return hn::MulAdd(hn::Set(d, beta), momentum,
                              hn::Mul(hn::Set(d, 1.0F - beta), gradient));
        };
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        const auto m_old = hn::LoadU(d, m + i);
        const auto direction = mixed(s.beta_1, m_old, gradient);
        const auto move = hn::IfThenZeroElse(hn::Eq(direction, hn::Zero(d)),
                                             hn::CopySign(hn::Set(d, s.learning_rate), direction));
        hn::StoreU(zero_below(d, kLeastNormal, mixed(s.beta_2, m_old, gradient)), d, m + i);
        hn::StoreU(hn::Sub(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

HWY_ATTR void Adagrad(const AdagradStep& s, const float* g, float* v, float* w, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        const auto v_new = hn::MulAdd(gradient, gradient, hn::LoadU(d, v + i));
        const auto move = hn::Div(hn::Mul(hn::Set(d, s.learning_rate), gradient),
                                  hn::Sqrt(hn::Add(v_new, hn::Set(d, s.epsilon))));
        hn::StoreU(v_new, d, v + i);
        hn::StoreU(hn::Sub(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

HWY_ATTR void Nadam(const NadamStep& s, const float* g, float* m, float* v, float* w,
                    std::size_t count) {
    const float least_v = least_second_moment(s);
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        take_moments(d, s, least_v, gradient, m + i, v + i);
        const auto ahead = hn::MulAdd(hn::Set(d, s.m_rate), hn::LoadU(d, m + i),
                                      hn::Mul(hn::Set(d, s.g_rate), gradient));
        const auto spread = hn::Sqrt(hn::Mul(hn::Set(d, s.v_factor), hn::LoadU(d, v + i)));
        const auto move = hn::Div(ahead, hn::Add(spread, hn::Set(d, s.epsilon)));
        hn::StoreU(hn::Sub(decayed(d, s.terms, hn::LoadU(d, w + i)), move), d, w + i);
    });
}

HWY_ATTR void TakeDirections(const MuonStep& s, const float* g, const float* w, float* m,
                             float* direction, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto momentum = hn::Set(d, s.momentum);
        const auto gradient = whole_gradient(d, s.terms, g + i, w + i);
        const auto m_new =
            zero_below(d, kLeastNormal, hn::MulAdd(momentum, hn::LoadU(d, m + i), gradient));
        hn::StoreU(m_new, d, m + i);
        hn::StoreU(s.nesterov ? hn::MulAdd(momentum, m_new, gradient) : m_new, d, direction + i);
    });
}

HWY_ATTR void MuonMove(const MuonStep& s, const float* direction, float* w, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto weight = decayed(d, s.terms, hn::LoadU(d, w + i));
        const auto move = hn::Mul(hn::Set(d, s.learning_rate), hn::LoadU(d, direction + i));
        hn::StoreU(hn::Sub(weight, move), d, w + i);
    });
}

// From the nearer end.
HWY_ATTR void MoveAverage(float share, const float* w, float* average, std::size_t count) {
    for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
        const auto from = hn::LoadU(d, average + i), to = hn::LoadU(d, w + i);
        const auto way = hn::Sub(to, from);
        const auto moved = share < 0.5F ? hn::MulAdd(hn::Set(d, share), way, from)
                                        : hn::NegMulAdd(hn::Set(d, 1.0F - share), way, to);
        hn::StoreU(hn::IfThenElse(hn::Eq(from, to), to, zero_below(d, kLeastNormal, moved)), d,
                   average + i);
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

namespace {

float least_if_hidden(double lacking, float epsilon) {
    return lacking < double{epsilon} * 0x1p-25 ? kLeastNormal : 0.0F;
}

template <class Step>
float least_of_adam(const Step& step) {
    const double lacking = double{kLeastNormal} / double{step.one_minus_beta_2};
    return least_if_hidden(std::sqrt(lacking), step.epsilon);
}

}  // namespace

float least_second_moment(const AdamStep& step) { return least_of_adam(step); }

float least_second_moment(const NadamStep& step) { return least_of_adam(step); }

float least_second_moment(const RmspropStep& step) {
    const double lacking = double{kLeastNormal} / double{1.0F - step.rho};
    return least_if_hidden(lacking, step.epsilon);
}

HWY_EXPORT(Sgd);
HWY_EXPORT(SgdMomentum);
HWY_EXPORT(Adam);
HWY_EXPORT(Rmsprop);
HWY_EXPORT(Lion);
HWY_EXPORT(Adagrad);
HWY_EXPORT(Nadam);
HWY_EXPORT(TakeDirections);
HWY_EXPORT(MuonMove);
HWY_EXPORT(MoveAverage);

void sgd_update(const SgdStep& step, std::span<const float> gradient, std::span<float> velocity,
                std::span<float> weights) {
    if (velocity.empty())
        HWY_DYNAMIC_DISPATCH(Sgd)(step, gradient.data(), weights.data(), weights.size());
    else
        HWY_DYNAMIC_DISPATCH(SgdMomentum)
    (step, gradient.data(), velocity.data(), weights.data(), weights.size());
}

void adam_update(const AdamStep& step, std::span<const float> gradient, std::span<float> m,
                 std::span<float> v, std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(Adam)
    (step, gradient.data(), m.data(), v.data(), weights.data(), weights.size());
}

void rmsprop_update(const RmspropStep& step, std::span<const float> gradient, std::span<float> v,
                    std::span<float> accumulated, std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(Rmsprop)
    (step, gradient.data(), v.data(), accumulated.empty() ? nullptr : accumulated.data(),
     weights.data(), weights.size());
}

void lion_update(const LionStep& step, std::span<const float> gradient, std::span<float> m,
                 std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(Lion)(step, gradient.data(), m.data(), weights.data(), weights.size());
}

void adagrad_update(const AdagradStep& step, std::span<const float> gradient, std::span<float> v,
                    std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(Adagrad)(step, gradient.data(), v.data(), weights.data(), weights.size());
}

void nadam_update(const NadamStep& step, std::span<const float> gradient, std::span<float> m,
                  std::span<float> v, std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(Nadam)
    (step, gradient.data(), m.data(), v.data(), weights.data(), weights.size());
}

void take_directions(const MuonStep& step, std::span<const float> gradient,
                     std::span<const float> weights, std::span<float> momentum,
                     std::span<float> directions) {
    HWY_DYNAMIC_DISPATCH(TakeDirections)
    (step, gradient.data(), weights.data(), momentum.data(), directions.data(), weights.size());
}

void muon_update(const MuonStep& step, std::span<const float> directions,
                 std::span<float> weights) {
    HWY_DYNAMIC_DISPATCH(MuonMove)(step, directions.data(), weights.data(), weights.size());
}

void move_average(float share, std::span<const float> weights, std::span<float> average) {
    HWY_DYNAMIC_DISPATCH(MoveAverage)(share, weights.data(), average.data(), weights.size());
}

}  // namespace lockstep::trainer
#endif
