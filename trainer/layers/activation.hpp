#pragma once

// Activation as a layer of its own: relu, softmax of vectors, linear.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class ActivationLayer : public Layer {
public:
    ActivationLayer(Activation activation, const Layout& src)
        : Layer(src, src), activation_(activation) {}
    bool is_identity() const override { return activation_ == Activation::linear; }
    std::unique_ptr<LayerPass> bind(const PassBuffers& buffers,
                                    const PassContext& context) const override;

private:
    Activation activation_;
};

}  // namespace lockstep::trainer
