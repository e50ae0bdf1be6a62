#include "trainer/kernels/first/first_convolution_calls.hpp"

#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {
FirstConvolutionCalls::FirstConvolutionCalls(const ConvolutionFormat& format,
                                             const LinearWeights& weights,
                                             std::span<const LinearPart> parts,
                                             std::unique_ptr<LinearCalls> onednn)
    : format_(format),
      weights_(weights),
      parts_(parts.begin(), parts.end()),
      onednn_(std::move(onednn)) {
    format.engine().onednn().workspace.reserve(format.first()->scratch_floats() * sizeof(float));
}

float* FirstConvolutionCalls::scratch() const {
    return format_.engine().onednn().workspace.floats();
}

void FirstConvolutionCalls::forward(std::size_t part) {
    if (!format_.first_passes().forward) return onednn_->forward(part);
    const LinearPart& p = parts_[part];
    format_.first()->forward(p.src, weights_.weights, weights_.bias,
                             format_.shape().has_relu || weights_.has_relu, p.dst, p.samples,
                             scratch());
}

void FirstConvolutionCalls::backward_data(std::size_t part) {
    const LinearPart& p = parts_[part];
    if (p.diff_src == nullptr) return;
    format_.first()->backward_data(p.diff_dst, p.relu_dst, weights_.weights, p.diff_src, p.samples,
                                   scratch());
}

void FirstConvolutionCalls::backward_weights(std::size_t part) {
    if (!format_.first_passes().weights) return onednn_->backward_weights(part);
    const LinearPart& p = parts_[part];
    format_.first()->backward_weights(p.src, p.diff_dst, p.relu_dst, p.diff_weights, p.diff_bias,
                                      p.samples, scratch());
}

}  // namespace lockstep::trainer
