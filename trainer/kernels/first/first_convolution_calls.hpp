#pragma once

// A convolution of few channels by our own kernels, or, where oneDNN's are faster, by them, bound
// to buffers, for one rank's part of a batch.

#include <memory>
#include <span>
#include <vector>

#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/linear_kernel.hpp"

namespace lockstep::trainer {

class FirstConvolutionCalls : public LinearCalls {
public:
    // format   one that has first(); it and its engine must outlive this
    // onednn   the passes that are not ours; null: all are
    FirstConvolutionCalls(const ConvolutionFormat& format, const LinearWeights& weights,
                          std::span<const LinearPart> parts, std::unique_ptr<LinearCalls> onednn);

    void forward(std::size_t part) override;
    void backward_data(std::size_t part) override;
    void backward_weights(std::size_t part) override;

private:
    float* scratch() const;

    const ConvolutionFormat& format_;
    LinearWeights weights_;
    std::vector<LinearPart> parts_;
    std::unique_ptr<LinearCalls> onednn_;
};

}  // namespace lockstep::trainer
