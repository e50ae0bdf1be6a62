#pragma once

// Softmax of rows, by itself and in one with cross-entropy. Neither overflows. All in double
// inside; what is read and written is float32.

#include <cstdint>
#include <span>

#include "trainer/config/label.hpp"

namespace lockstep::trainer {

// p_i = exp(x_i - max x) / sum_j exp(x_j - max x), row by row; p may be x.
//   x, p   shape [rows, classes]
void softmax_forward(const float* x, float* p, int rows, int classes);
// diff_i = p_i (diff_i - sum_j diff_j p_j), in place.
void softmax_backward(const float* p, float* diff, int rows, int classes);

// A part of a sample's target that is another label's than its own, as mixup makes it.
struct SecondLabel {
    Label label = 0;
    float weight = 0.0F;  // of it, in [0, 1]; the first label's is 1 - weight
};

struct LossSum {
    double loss = 0.0;         // summed over samples
    std::int64_t correct = 0;  // where the first largest logit is that of the label, or of the
                               // second one where that weighs more
};

// loss_n = log(sum_j exp(x_nj - max x_n)) - sum_j t_nj (x_nj - max x_n)
// d(mean loss)/dx_nj = (p_nj - t_nj) / batch
// with the target t_nj = (1 - s) ((1 - w) [j = label] + w [j = second label]) + s / classes, s the
// label smoothing [1], w the second label's weight.
//
// [1] C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: Rethinking the inception
//     architecture for computer vision. CVPR 2016. arXiv:1512.00567, section 7
//
// With class weights a sample's loss, and with it what its logits get, is times the weight of its
// label; the mean is over the batch all the same, as Keras' fit(class_weight) has it.
//   logits       shape [labels.size(), classes]
//   batch        samples of the whole batch, which the mean is over
//   diff_logits  as logits, out; may be empty: not wanted
//   smoothing    s, in [0, 1)
//   weights      [classes]; empty: all 1. Of two labels that of the heavier counts, as in Keras
//   second       beside labels; empty: there are none
LossSum softmax_cross_entropy(std::span<const float> logits, std::span<const Label> labels,
                              int classes, int batch, std::span<float> diff_logits,
                              double smoothing = 0.0, std::span<const double> weights = {},
                              std::span<const SecondLabel> second = {});

// Samples with fewer than `k` logits above the label's: among equal ones all count, as in Keras'
// top_k_categorical_accuracy. None of whose logits one is no number or infinite counts.
//   logits   shape [labels.size(), classes]
std::int64_t count_in_top(int k, std::span<const float> logits, std::span<const Label> labels,
                          int classes);

}  // namespace lockstep::trainer
