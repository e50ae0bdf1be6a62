#pragma once

// Activation as a layer of its own: relu, softmax of vectors, linear.

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

}  // namespace lockstep::trainer
