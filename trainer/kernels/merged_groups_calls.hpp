#pragma once

// The calls of a convolution whose groups its kernel merges (channel_groups.hpp): what the gradient
// of the weights holds between channels of different groups is set to zero, so that those weights
// stay zero.

#include <memory>
#include <span>
#include <vector>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/linear_kernel.hpp"

namespace lockstep::trainer {

class MergedGroupsCalls : public LinearCalls {
public:
    MergedGroupsCalls(const ConvolutionFormat& format, std::span<const LinearPart> parts,
                      std::unique_ptr<LinearCalls> merged);

    void prepare_forward() override { merged_->prepare_forward(); }
    void prepare_backward() override { merged_->prepare_backward(); }
    void forward(std::size_t part) override { merged_->forward(part); }
    void backward_data(std::size_t part) override { merged_->backward_data(part); }
    void backward_weights(std::size_t part) override;

private:
    std::unique_ptr<LinearCalls> merged_;
    std::vector<float*> gradients_;  // by part
    AlignedArray<float> is_inside_;  // 1 where a weight is one of a group, 0 elsewhere
};

}  // namespace lockstep::trainer
