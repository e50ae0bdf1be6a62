#pragma once

// ZeroPadding2D: zeros around an image.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class ZeroPadding : public Layer {
public:
    ZeroPadding(const ZeroPadding2dConfig& config, const LayerShape& shape, const Layout& src)
        : Layer(src, blocked(shape.output, src.block)), config_(config) {}
    void bind(PassBuilder& pass) const override;

private:
    // copy(pixels of a row of src, those of dst in which it lies, floats) for all rows.
    template <class Copy>
    void for_each_row(int samples, Copy copy) const;

    ZeroPadding2dConfig config_;
};

}  // namespace lockstep::trainer
