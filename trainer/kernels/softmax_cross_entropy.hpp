#pragma once

// Softmax and cross-entropy in one, from logits, which never overflows:
//
//   loss_n = log(sum_j exp(x_nj - max x_n)) - (x_n,label - max x_n)
//   d(mean loss)/dx_nj = (p_nj - [j = label]) / batch
//
// All in double inside; the logits and the gradient are float32.

#include <cstdint>
#include <span>

namespace lockstep::trainer {

struct LossSum {
    double loss = 0.0;         // summed over samples
    std::int64_t correct = 0;  // where the first largest logit is the label's
};

//   logits       shape [labels.size(), classes]
//   batch        samples of the whole batch, which the mean is over
//   diff_logits  as logits, out; may be empty: not wanted
LossSum softmax_cross_entropy(std::span<const float> logits, std::span<const std::uint8_t> labels,
                              int classes, int batch, std::span<float> diff_logits);

}  // namespace lockstep::trainer
