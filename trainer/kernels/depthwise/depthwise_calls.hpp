#pragma once

// The depthwise kernels of our own, bound to the parts of a batch.

#include <span>
#include <vector>

#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/linear_kernel.hpp"

namespace lockstep::trainer {

class DepthwiseCalls : public LinearCalls {
public:
    DepthwiseCalls(const ConvolutionFormat& format, const LinearWeights& weights,
                   std::span<const LinearPart> parts)
        : kernel_(*format.depthwise()),
          weights_(weights),
          has_relu_(format.shape().has_relu || weights.has_relu),
          parts_(parts.begin(), parts.end()) {}

    void forward(std::size_t i) override {
        const LinearPart& part = parts_[i];
        kernel_.forward(part.src, weights_.weights, weights_.bias, has_relu_, part.dst,
                        part.samples);
    }
    void backward_data(std::size_t i) override {
        const LinearPart& part = parts_[i];
        if (part.diff_src == nullptr) return;
        kernel_.backward_data(part.diff_dst, weights_.weights, part.diff_src, part.samples);
    }
    void backward_weights(std::size_t i) override {
        const LinearPart& part = parts_[i];
        if (part.diff_weights == nullptr) return;
        kernel_.backward_weights(part.src, part.diff_dst, part.diff_weights, part.diff_bias,
                                 part.samples);
    }

private:
    const Depthwise& kernel_;
    LinearWeights weights_;
    bool has_relu_;
    std::vector<LinearPart> parts_;
};

}  // namespace lockstep::trainer
