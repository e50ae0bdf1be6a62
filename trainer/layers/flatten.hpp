#pragma once

// Flatten: an image's activations as one vector, where they are. Keras' order (h, w, c) is kept by
// the layers behind, which know where each feature stands (Layout::feature_positions).

#include <stdexcept>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Flatten : public Layer {
public:
    explicit Flatten(const Layout& src) : Layer(src, flattened(src)) {}
    bool is_identity() const override { return true; }
    void bind(PassBuilder&) const override {
        throw std::logic_error("a flatten layer has no pass");
    }
};

}  // namespace lockstep::trainer
