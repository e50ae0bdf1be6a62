#pragma once

// A network's first convolution by our own kernels, bound to buffers, for one rank's part of a
// batch.

#include <span>
#include <vector>

#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/linear_kernel.hpp"

namespace lockstep::trainer {

// As the kernels want to know it; whether they compute it is another question.
FirstConvolutionShape first_convolution_shape(const ConvolutionShape& shape);

// The kernels of a first convolution that they fit better than oneDNN's: a function of its shape
// and the instruction set alone (docs/performance.md).
std::optional<FirstConvolution> first_convolution_of(const ConvolutionShape& shape);

class FirstConvolutionCalls : public LinearCalls {
public:
    // format   one that has first(); it and its engine must outlive this
    FirstConvolutionCalls(const ConvolutionFormat& format, const LinearWeights& weights,
                          std::span<const LinearPart> parts);

    void forward(std::size_t part) override;
    void backward_data(std::size_t) override {}  // nothing in front is trained
    void backward_weights(std::size_t part) override;

private:
    float* scratch() const;

    const ConvolutionFormat& format_;
    LinearWeights weights_;
    std::vector<LinearPart> parts_;
};

}  // namespace lockstep::trainer
