#pragma once

// One step of each optimizer over a flat array of weights, in Keras' arithmetic.
//
// Weights may decay by themselves, decoupled from the gradient [1].
//
// [1] I. Loshchilov, F. Hutter: Decoupled weight decay regularization. ICLR 2019. arXiv:1711.05101

#include <limits>
#include <span>

namespace lockstep::trainer {

// Slots are kept at zero where they fall below the least normal number: docs/decisions/0009. The
// second moment, which is divided by, only where epsilon hides it: least_second_moment().
inline constexpr float kLeastNormal = std::numeric_limits<float>::min();  // 1.2e-38

// What a weight has beside its gradient. None of it changes a bit where it is as here.
struct WeightTerms {
    float l2_slope = 0.0F;        // first g += l2_slope w: the slope of an L2 regularizer is 2 l2
    float gradient_scale = 1.0F;  // then g *= gradient_scale
    float decay = 0.0F;           // and, before w is moved by it, w -= decay w
};

// v = momentum v - lr g;  w += v, or with Nesterov  w += momentum v - lr g
struct SgdStep {
    float learning_rate;
    float momentum;
    bool nesterov;
    WeightTerms terms{};
};
// velocity is empty where momentum is zero.
void sgd_update(const SgdStep& step, std::span<const float> gradient, std::span<float> velocity,
                std::span<float> weights);

// m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w -= rate m / (sqrt(v) + epsilon)
// with rate = lr sqrt(1 - b2^t) / (1 - b1^t): epsilon is the paper's "epsilon hat" [2].
//
// [2] D. Kingma, J. Ba: Adam: a method for stochastic optimization. ICLR 2015. arXiv:1412.6980
struct AdamStep {
    float rate;  // bias corrections included
    float one_minus_beta_1;
    float one_minus_beta_2;
    float epsilon;
    WeightTerms terms{};
};
void adam_update(const AdamStep& step, std::span<const float> gradient, std::span<float> m,
                 std::span<float> v, std::span<float> weights);

// v = rho v + (1-rho) g^2;  d = lr g / sqrt(v + epsilon);  w -= d
// or with momentum  b = momentum b + d;  w -= b
struct RmspropStep {
    float learning_rate;
    float rho;
    float momentum;
    float epsilon;
    WeightTerms terms{};
};
// accumulated is empty where momentum is zero.
void rmsprop_update(const RmspropStep& step, std::span<const float> gradient, std::span<float> v,
                    std::span<float> accumulated, std::span<float> weights);

// w -= lr sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g   [3]
//
// [3] X. Chen et al.: Symbolic discovery of optimization algorithms. 2023. arXiv:2302.06675
struct LionStep {
    float learning_rate;
    float beta_1;
    float beta_2;
    WeightTerms terms{};
};
void lion_update(const LionStep& step, std::span<const float> gradient, std::span<float> m,
                 std::span<float> weights);

// v += g^2;  w -= lr g / sqrt(v + epsilon)   [4]
//
// [4] J. Duchi, E. Hazan, Y. Singer: Adaptive subgradient methods for online learning and
//     stochastic optimization. JMLR 12, 2011.
struct AdagradStep {
    float learning_rate;
    float epsilon;
    WeightTerms terms{};
};
void adagrad_update(const AdagradStep& step, std::span<const float> gradient, std::span<float> v,
                    std::span<float> weights);

// m, v as Adam's;  w -= (m_rate m + g_rate g) / (sqrt(v_factor v) + epsilon)   [5]
// with, for momenta u_t = b1 (1 - 0.96^t / 2) and their products P_t = u_1 ... u_t,
//   m_rate = lr u_t+1 / (1 - P_t+1);  g_rate = lr (1 - u_t) / (1 - P_t);  v_factor = 1 / (1 - b2^t)
//
// [5] T. Dozat: Incorporating Nesterov momentum into Adam. ICLR 2016 workshop.
struct NadamStep {
    float m_rate;
    float g_rate;
    float v_factor;
    float one_minus_beta_1;
    float one_minus_beta_2;
    float epsilon;
    WeightTerms terms{};
};
void nadam_update(const NadamStep& step, std::span<const float> gradient, std::span<float> m,
                  std::span<float> v, std::span<float> weights);

// AdamW of what is no matrix; and of a matrix' elements
//   m = momentum m + g;  direction = g + momentum m, with Nesterov, or m
// and, when the directions are orthogonal (muon.hpp),  w -= lr direction   [6]
//
// [6] K. Jordan et al.: Muon: an optimizer for hidden layers in neural networks. 2024.
struct MuonStep {
    float learning_rate;
    float momentum;
    bool nesterov;
    AdamStep adam;
    WeightTerms terms{};
};
void take_directions(const MuonStep& step, std::span<const float> gradient,
                     std::span<const float> weights, std::span<float> momentum,
                     std::span<float> directions);
void muon_update(const MuonStep& step, std::span<const float> directions, std::span<float> weights);

// average += share (w - average), with share in [0, 1]: with 1 it is w, and where both are equal
// they stay so, to the last bit.
void move_average(float share, std::span<const float> weights, std::span<float> average);

// Below this a second moment is kept at zero: kLeastNormal, or 0 where no value is.
//
// Each step may drop kLeastNormal and keeps the share b2 (rho) of what the steps before dropped: a
// second moment lacks kLeastNormal / (1 - b2) at most, a thousand times more than one step drops
// with b2 = 0.999. Adam adds its root to epsilon, RMSprop itself: epsilon hides what is less than
// half a unit in epsilon's last place, of which epsilon / 2^25 is the least. Nadam's is as Adam's:
// by step t it lacks (1 - b2^t) of that at most, and is divided by as much.
float least_second_moment(const AdamStep& step);
float least_second_moment(const RmspropStep& step);
float least_second_moment(const NadamStep& step);

}  // namespace lockstep::trainer
