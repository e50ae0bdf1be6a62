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

// p_i = exp(x_i - max x) / sum_j exp(x_j - max x), row by row; p may be x.
//   x, p   shape [rows, classes]
void softmax_forward(const float* x, float* p, int rows, int classes);
// diff_i = p_i (diff_i - sum_j diff_j p_j), in place.
void softmax_backward(const float* p, float* diff, int rows, int classes);

}  // namespace lockstep::trainer
