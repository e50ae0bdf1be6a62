#include "trainer/kernels/activations.hpp"

#include <stdexcept>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/activations.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// Each has value(x), and slope() of what is kept for the gradient: the output or the input.

struct Relu6 {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        return hn::Min(hn::Max(x, hn::Zero(d)), hn::Set(d, 6.0F));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V y) {
        const auto is_between = hn::And(hn::Gt(y, hn::Zero(d)), hn::Lt(y, hn::Set(d, 6.0F)));
        return hn::IfThenElseZero(is_between, hn::Set(d, 1.0F));
    }
};

struct LeakyRelu {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        return hn::Mul(x, slope(d, x));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V y) {  // the output has the sign of the input
        return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), hn::Set(d, 1.0F), hn::Set(d, 0.2F));
    }
};

struct Elu {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        const V negative = hn::Expm1(d, hn::Min(x, hn::Zero(d)));
        return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, negative);
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V y) {
        const V one = hn::Set(d, 1.0F);
        return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), one, hn::Add(y, one));
    }
};

struct Tanh {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        const V most = hn::Set(d, 20.0F);  // where it is 1 long since
        return hn::Tanh(d, hn::Max(hn::Min(x, most), hn::Neg(most)));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V y) {
        return hn::NegMulAdd(y, y, hn::Set(d, 1.0F));
    }
};

struct Sigmoid {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        return of_power(d, power(d, x));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V y) {
        return hn::Mul(y, hn::Sub(hn::Set(d, 1.0F), y));
    }
    template <class D, class V>
    static HWY_INLINE V power(D d, V x) {  // e^-x
        const V most = hn::Set(d, 87.0F);  // e^87 is finite, and its inverse no denormal
        return hn::Exp(d, hn::Neg(hn::Max(hn::Min(x, most), hn::Neg(most))));
    }
    template <class D, class V>
    static HWY_INLINE V of_power(D d, V power) {
        return hn::Div(hn::Set(d, 1.0F), hn::Add(hn::Set(d, 1.0F), power));
    }
};

struct Silu {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        return hn::Mul(x, Sigmoid::value(d, x));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V x) {
        const V power = Sigmoid::power(d, x), sigmoid = Sigmoid::of_power(d, power);
        const V rest = hn::Mul(power, sigmoid);  // 1 - sigmoid, to all digits
        return hn::Mul(sigmoid, hn::MulAdd(x, rest, hn::Set(d, 1.0F)));
    }
};

struct Gelu {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        return hn::Mul(x, probability(d, x, bell(d, x)));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V x) {
        const V power = bell(d, x);
        const V density = hn::Mul(power, hn::Set(d, 0.3989422804F));  // 1 / sqrt(2 pi)
        return hn::MulAdd(x, density, probability(d, x, power));
    }

private:
    template <class D, class V>
    static HWY_INLINE V bell(D d, V x) {  // e^(-x^2 / 2)
        return hn::Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5F)));
    }
    template <class D, class V>
    static HWY_INLINE V probability(D d, V x, V power) {
        constexpr float kQ[] = {0.48980369F, -0.52167804F, 0.55930841F, -0.10332092F,
                                0.21894826F, 0.14721168F,  0.17088952F, 0.16917664F};
        const V one = hn::Set(d, 1.0F);
        constexpr float kRate = 0.3F * 0.7071067812F;
        const V t = hn::Div(one, hn::MulAdd(hn::Abs(x), hn::Set(d, kRate), one));
        V q = hn::Set(d, -0.13033924F);
        for (const float coefficient : kQ) q = hn::MulAdd(q, t, hn::Set(d, coefficient));
        const V tail = hn::Mul(hn::Mul(hn::Set(d, 0.5F), power), hn::Mul(t, q));
        return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
    }
};

struct HardSwish {
    template <class D, class V>
    static HWY_INLINE V value(D d, V x) {
        const V gate = Relu6::value(d, hn::Add(x, hn::Set(d, 3.0F)));
        return hn::Mul(x, hn::Mul(gate, hn::Set(d, 1.0F / 6.0F)));
    }
    template <class D, class V>
    static HWY_INLINE V slope(D d, V x) {
        const V bend = hn::Set(d, 3.0F), one = hn::Set(d, 1.0F);
        const V middle = hn::MulAdd(x, hn::Set(d, 1.0F / 3.0F), hn::Set(d, 0.5F));
        return hn::IfThenElse(hn::Ge(x, bend), one,
                              hn::IfThenElseZero(hn::Gt(x, hn::Neg(bend)), middle));
    }
};

template <class Visit>
HWY_ATTR HWY_INLINE void with_function(Activation activation, Visit visit) {
    switch (activation) {
        case Activation::relu6:
            return visit(Relu6());
        case Activation::leaky_relu:
            return visit(LeakyRelu());
        case Activation::elu:
            return visit(Elu());
        case Activation::gelu:
            return visit(Gelu());
        case Activation::silu:
            return visit(Silu());
        case Activation::tanh:
            return visit(Tanh());
        case Activation::sigmoid:
            return visit(Sigmoid());
        case Activation::hard_swish:
            return visit(HardSwish());
        case Activation::linear:
        case Activation::relu:
        case Activation::softmax:
            throw std::logic_error("this activation has a pass of its own, or none");
    }
}

HWY_ATTR void ActivationForward(Activation activation, const float* x, float* y,
                                std::size_t count) {
    with_function(activation, [=](auto function) HWY_ATTR {
        using Function = decltype(function);
        for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
            const auto from = hn::LoadU(d, x + i);
            // Minima and maxima lose what is no number.
            const auto to = hn::IfThenElse(hn::IsNaN(from), from, Function::value(d, from));
            hn::StoreU(to, d, y + i);
        });
    });
}

HWY_ATTR void ActivationGradient(Activation activation, const float* kept, const float* diff_dst,
                                 float* diff_src, std::size_t count) {
    with_function(activation, [=](auto function) HWY_ATTR {
        using Function = decltype(function);
        for_each_vector(count, [=](auto d, std::size_t i) HWY_ATTR {
            const auto slope = Function::slope(d, hn::LoadU(d, kept + i));
            hn::StoreU(hn::Mul(slope, hn::LoadU(d, diff_dst + i)), d, diff_src + i);
        });
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(ActivationForward);
HWY_EXPORT(ActivationGradient);

bool is_elementwise(Activation activation) {
    return activation != Activation::linear && activation != Activation::relu &&
           activation != Activation::softmax;
}

bool has_gradient_of_output(Activation activation) {
    return activation != Activation::gelu && activation != Activation::silu &&
           activation != Activation::hard_swish;
}

bool keeps_zeros(Activation activation) { return activation != Activation::sigmoid; }

void activation_forward(Activation activation, const float* x, float* y, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ActivationForward)(activation, x, y, count);
}

void activation_gradient(Activation activation, const float* kept, const float* diff_dst,
                         float* diff_src, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(ActivationGradient)(activation, kept, diff_dst, diff_src, count);
}

}  // namespace lockstep::trainer
#endif
