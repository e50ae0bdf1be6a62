#include "trainer/layers/folded_weights.hpp"

namespace lockstep::trainer {

namespace {

ChannelScaling scaling_of(const ConvolutionFormat& format) {
    const ConvolutionShape& shape = format.shape();
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const std::size_t taps = size(shape.kernel_size[0]) * size(shape.kernel_size[1]);
    return ChannelScaling(*format.kernel_format(),
                          taps * size(shape.src.channels / shape.groups) * size(shape.dst.channels),
                          size(shape.dst.channels), size(format.engine().channel_block()));
}

}  // namespace

FoldedWeights::FoldedWeights(const ConvolutionFormat& format, const MovingNorm& norm,
                             PassBuilder& pass)
    : norm_(norm),
      parameters_(pass.context().parameters),
      scaling_(scaling_of(format)),
      affine_(static_cast<std::size_t>(format.dst_channels())),
      weights_(pass.scratch(Buffer::Size::of_all(format.kernel_format()->size()))),
      bias_(pass.scratch(Buffer::Size::of_all(affine_.shift.size()))) {}

void FoldedWeights::add_to(PassBuilder& pass, const LinearParameters& parameters) {
    pass.forward({.what = "folded normalization",
                  .extent = Extent::prepare,
                  .reads = {},
                  .writes = {&weights_, &bias_},
                  .run = [this, weights = parameters.weights(), bias = parameters.bias()](
                             const StepContext&, std::size_t) { fold(weights, bias); }});
}

void FoldedWeights::fold(const float* weights, const float* bias) {
    set_moving_affine(affine_, norm_.epsilon, norm_.tensors, parameters_);
    scaling_.scale(weights, affine_.scale, weights_.data());
    for (std::size_t c = 0; c < affine_.shift.size(); ++c)
        bias_.data()[c] = bias[c] * affine_.scale[c] + affine_.shift[c];
}

}  // namespace lockstep::trainer
