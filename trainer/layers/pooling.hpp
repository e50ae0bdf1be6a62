#pragma once

// MaxPooling2D and AveragePooling2D; GlobalMaxPooling2D and GlobalAveragePooling2D, whose one
// window is the image, and whose output is a vector or an image of one pixel.

#include "trainer/kernels/pooling.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Pooling : public Layer {
public:
    Pooling(const PoolingConfig& config, const LayerShape& shape, const Layout& src);
    Pooling(const GlobalPoolingConfig& config, const Layout& src);
    bool can_mask_src_relu() const override { return kind_ == PoolingKind::max; }
    void bind(PassBuilder& pass) const override;

private:
    PoolingKind kind_;
    PoolingShape shape_;
};

PoolingShape pooling_shape(const PoolingConfig& config, const LayerShape& shape, const Layout& src,
                           const Layout& dst);

}  // namespace lockstep::trainer
