#pragma once

// UpSampling2D: an image enlarged by whole factors.

#include "trainer/kernels/up_sampling.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class UpSampling : public Layer {
public:
    UpSampling(const UpSampling2dConfig& config, const LayerShape& shape, const Layout& src)
        : Layer(src, blocked(shape.output, src.block)),
          kernel_(this->src(), dst(), config.size, config.interpolation) {}
    void bind(PassBuilder& pass) const override;

private:
    UpSamplingKernel kernel_;
};

}  // namespace lockstep::trainer
