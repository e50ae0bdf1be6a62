#pragma once

// Activation as a layer of its own: element by element, softmax of vectors, or linear.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class ActivationLayer : public Layer {
public:
    ActivationLayer(Activation activation, const Layout& src)
        : Layer(src, src), activation_(activation) {}
    bool is_identity() const override { return activation_ == Activation::linear; }
    bool makes_relu() const override { return is_relu(); }
    bool is_relu() const override { return activation_ == Activation::relu; }
    void bind(PassBuilder& pass) const override;

private:
    Activation activation_;
};

// What the kernels of a layer with an activation leave to a pass behind them: all but relu and
// softmax. linear: nothing.
Activation activation_behind(const LayerConfig& config);

}  // namespace lockstep::trainer
