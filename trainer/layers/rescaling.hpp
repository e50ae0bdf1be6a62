#pragma once

// Rescaling: dst = src x scale + offset, in float32. Padding stays zero.

#include "trainer/kernels/padding.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Rescaling : public Layer {
public:
    Rescaling(const RescalingConfig& config, const Layout& src)
        : Layer(src, src),
          scale_(static_cast<float>(config.scale)),
          offset_(static_cast<float>(config.offset)),
          padding_(src) {}
    void bind(PassBuilder& pass) const override;

private:
    float scale_, offset_;
    PaddingPlaces padding_;
};

}  // namespace lockstep::trainer
