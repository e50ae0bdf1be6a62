#pragma once

// Conv2D: dst = relu?(conv(src, kernel) + bias). Kernel [KH, KW, IC / groups, OC], bias [OC] in
// files. DepthwiseConv2D: kernel [KH, KW, IC, OC / IC].

#include <functional>

#include "trainer/kernels/convolution.hpp"
#include "trainer/layers/folded_weights.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

// What the kernels have to know of it.
ConvolutionShape convolution_shape(const Conv2dConfig& config, const LayerSetting& setting);
ConvolutionShape convolution_shape(const Conv2dConfig& config, const Shape& src, const Shape& dst);

// A depthwise convolution is one with a group for each channel: Keras' two kernels hold the same
// weights in the same order.
Conv2dConfig grouped(const DepthwiseConv2dConfig& config, int channels);

class Conv2d : public Layer {
public:
    Conv2d(const Conv2dConfig& config, const LayerSetting& setting, ComputeEngine& engine,
           Parameters& parameters);

    bool makes_relu() const override { return format_->shape().has_relu; }
    bool can_fold_norm() const override { return !makes_relu(); }
    void bind(PassBuilder& pass) const override;

private:
    Conv2d(std::unique_ptr<ConvolutionFormat> format, const LayerShape& shape,
           Parameters& parameters);
    const FoldedWeights* add_folded(PassBuilder& pass, const LinearParameters& parameters) const;
    Buffer* add_filters(PassBuilder& pass, bool for_data, Buffer* folded) const;
    Buffer* add_backward(PassBuilder& pass, const std::function<LinearCalls&()>& calls,
                         bool are_trained) const;

    std::unique_ptr<ConvolutionFormat> format_;
    LinearTensors tensors_;
};

}  // namespace lockstep::trainer
