#pragma once

// A convolution by Winograd bound to buffers, for one rank's part of a batch.

#include <memory>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/linear_kernel.hpp"
#include "trainer/kernels/winograd/winograd.hpp"

namespace lockstep::trainer {

// Whether Winograd fits a convolution: a function of its shape and the instruction set alone, so
// that all ranks and all resumptions would take the same kernels. Where it does, it was faster than
// oneDNN's direct kernel from shards of four images on (docs/winograd.md).
//   - 3 x 3 or 2 x 2, strides of 1, less padding in front than taps
//   - a block of channels is a vector; fewer channels than a block are padded to one, for oneDNN as
//     for us
//   - 2 x 2 with blocks of 16 channels alone: with 8, golden steps of small-alexnet come apart at a
//     near tie of its second step (docs/winograd.md)
//   - at least 4 x 4 pixels of output, so that the filters' transform is repaid: 6 x 6 for more
//     than 16,384 filters, and for a single block of filters over more than four of channels; 7 x 7
//     for 65,536 filters and more, whose frequencies no cache holds; 8 x 8 for 2 x 2 taps, and
//     never with so many
//   - at most half of the direct products, counting what tiles compute outside of the output
bool takes_winograd(const ConvolutionShape& shape, int block);

// Whether so few images repay the transform of its filters, for a shape that it takes. Those of a
// part, not of a rank: how a batch is cut into parts does not depend on ranks.
bool repays_filters(const ConvolutionShape& shape, int block, int images);

// The kernels of a format whose convolution takes_winograd().
Winograd winograd_of(const ConvolutionFormat& format);

// Filters come transformed with the weights, or are transformed before the parts of a pass, into
// memory that all layers share: until another layer uses it.
class WinogradConvolution : public LinearCalls {
public:
    // format   one that is_winograd(); it and its engine must outlive this
    // direct   the parts that are_direct; null where none is
    WinogradConvolution(const ConvolutionFormat& format, const LinearWeights& weights,
                        std::span<const LinearPart> parts, std::unique_ptr<LinearCalls> direct);

    void prepare_forward() override;
    void prepare_backward() override;
    void forward(std::size_t part) override;
    void backward_data(std::size_t part) override;
    void backward_weights(std::size_t part) override;
    void backward(std::size_t part) override;  // of one transform of diff_dst

private:
    const Winograd& winograd() const { return *format_.winograd(); }
    // The shared memory: filters first, where the weights bring none, then scratch.
    float* own_filters() const;
    float* scratch() const;
    const float* filters_or_own(const float* filters) const;
    void run(WinogradBackward gradients, const LinearPart& part) const;

    const ConvolutionFormat& format_;
    LinearWeights weights_;
    std::vector<LinearPart> parts_;
    std::unique_ptr<LinearCalls> direct_;
    bool needs_filters_;
};

}  // namespace lockstep::trainer
