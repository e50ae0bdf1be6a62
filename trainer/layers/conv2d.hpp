#pragma once

// Conv2D: dst = relu?(conv(src, kernel) + bias). Kernel [KH, KW, IC, OC], bias [OC] in files.

#include "trainer/kernels/convolution.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

class Conv2d : public Layer {
public:
    Conv2d(const Conv2dConfig& config, const LayerSetting& setting, ComputeEngine& engine,
           Parameters& parameters);

    bool makes_relu() const override { return format_->shape().has_relu; }
    bool has_parameters() const override { return true; }
    std::unique_ptr<LayerPass> bind(const PassBuffers& buffers,
                                    const PassContext& context) const override;

private:
    Conv2d(std::unique_ptr<ConvolutionFormat> format, const LayerShape& shape,
           Parameters& parameters);

    std::unique_ptr<ConvolutionFormat> format_;
    LinearTensors tensors_;
};

}  // namespace lockstep::trainer
