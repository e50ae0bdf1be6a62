#pragma once

// A network's first convolution with ReLU and 2 x 2 max pooling as one layer: what lies between
// them is never written (kernels/first/). Kernel [KH, KW, IC, OC], bias [OC] in files.

#include "trainer/kernels/first/first_convolution.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

class ComputeEngine;

class FirstConvPool : public Layer {
public:
    // Whether these two layers are one: pixels of 1 to 4 channels, strides of 1, a ReLU, nothing
    // trained in front.
    static bool takes(const LayerSetting& convolution, const LayerSetting& pooling);

    // convolution, pooling: such that takes().
    FirstConvPool(const LayerSetting& convolution, const LayerSetting& pooling,
                  Parameters& parameters);

    void bind(PassBuilder& pass) const override;

private:
    FirstConvPool(const FirstConvolutionShape& shape, const LayerShape& convolution,
                  const Layout& dst, Parameters& parameters);

    FirstConvolution kernel_;
    std::size_t channels_;
    LinearTensors tensors_;
};

}  // namespace lockstep::trainer
