#pragma once

// Dense layers by kernels of our own: dst = src * weights + bias, and the three gradients.
//
//   src [samples, features] * weights [features, units] + bias [units] -> dst [samples, units]
//
// Weights lie in panels of two vectors of units, the last one of one vector where that is enough:
// [panel][feature][units of the panel], units padded by weights that are zero and stay so. A row of
// the weights is one feature of one panel; any range of rows is one piece of memory.
//
// Bits. Every value of dst is one chain of fused multiply-adds over the features in ascending
// order, starting from the bias. Every value of diff_src is one over the units, from zero; or, from
// 32 units on, one for each lane of a vector, and the lanes are added pairwise. Every shard's
// gradient of a weight is one over the shard's samples, from zero. So dst and diff_src of a sample
// are functions of that sample alone, however many samples a call has.

#include <cstddef>
#include <span>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/dense/panels.hpp"

namespace lockstep::trainer {

// Both factors of a weight gradient, sample by sample.
struct DenseFactors {
    const float* src = nullptr;   // [samples][features]
    const float* diff = nullptr;  // [samples][diff_step()], as gather_diff() writes them
};

// The kernels of one shape. Not bound to buffers; `scratch` is memory for one call, of
// scratch_floats() floats, aligned to 64 bytes, whose content means nothing between calls.
class DenseKernel {
public:
    DenseKernel(int features, int units);  // throws std::invalid_argument if one is < 1

    // How the weights lie: weight_floats(), rows(), row_begin(), place(); and diff_step().
    const DensePanels& panels() const { return panels_; }
    std::size_t scratch_floats() const;  // of backward_data

    // Weights and bias as they lie in the parameters; dst, then max(., 0) with `has_relu`.
    void forward(const float* src, const float* weights, const float* bias, bool has_relu,
                 float* dst, int samples) const;

    // Rows of diff_dst, padded by zeros, for all calls below; zero also where relu_dst, the dst of
    // a layer with ReLU, is not positive. relu_dst may be null.
    void gather_diff(const float* diff_dst, const float* relu_dst, float* diff, int samples) const;

    void backward_data(const float* diff, const float* weights, float* diff_src, int samples,
                       float* scratch) const;

    // Writes the gradients of one shard, [0, samples).
    void backward_weights(const DenseFactors& shard, int samples, float* diff_weights,
                          float* diff_bias) const;

    // The gradient of weight rows [first, first + rows) of a whole batch: that of backward_weights
    // for each shard, summed in a balanced binary tree over the shards. Node (level, i) covers the
    // shards [i 2^level, (i + 1) 2^level), cut off at their number, and is node (level - 1, 2 i) +
    // node (level - 1, 2 i + 1), or the left one alone where the right one covers none. Each
    // value is formed in registers and written once, to `out` from row `first` = out[0] on.
    //   shards   ranges of the samples of `batch`; none gives zeros
    void weight_gradient_of_rows(int first, int rows, const DenseFactors& batch,
                                 std::span<const SampleRange> shards, float* out) const;
    // That of the bias, in the same tree: [units].
    void bias_gradient(const float* diff, std::span<const SampleRange> shards,
                       float* diff_bias) const;

private:
    DensePanels panels_;
};

}  // namespace lockstep::trainer
