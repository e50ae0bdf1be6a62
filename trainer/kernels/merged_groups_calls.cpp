#include "trainer/kernels/merged_groups_calls.hpp"

#include <utility>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

// The format itself is asked where its weights lie.
AlignedArray<float> weights_of_groups(const ConvolutionFormat& format) {
    const ConvolutionShape& shape = format.shape();
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const std::vector<float> ones(size(shape.kernel_size[0]) * size(shape.kernel_size[1]) *
                                      size(format.groups().own_src) * size(shape.dst.channels),
                                  1.0F);
    const auto kernel = format.kernel_format();
    AlignedArray<float> packed(kernel->size());
    kernel->pack(ones, packed.span());
    return packed;
}

}  // namespace

MergedGroupsCalls::MergedGroupsCalls(const ConvolutionFormat& format,
                                     std::span<const LinearPart> parts,
                                     std::unique_ptr<LinearCalls> merged)
    : merged_(std::move(merged)), is_inside_(weights_of_groups(format)) {
    for (const LinearPart& part : parts) gradients_.push_back(part.diff_weights);
}

void MergedGroupsCalls::backward_weights(std::size_t part) {
    merged_->backward_weights(part);
    float* gradient = gradients_[part];
    if (gradient != nullptr) multiply(gradient, is_inside_.data(), gradient, is_inside_.size());
}

}  // namespace lockstep::trainer
