#pragma once

// Dropout, inverted: kept values are scaled by 1 / (1 - rate), so evaluation needs nothing.
//
// Which values are kept is a function of (seed, step, layer, place of the sample in the whole
// batch, place in the sample): the same on any number of ranks.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Dropout : public Layer {
public:
    Dropout(const DropoutConfig& config, std::uint32_t index, const Layout& layout)
        : Layer(layout, layout), rate_(config.rate), index_(index) {}
    bool is_identity() const override { return rate_ == 0.0; }
    std::unique_ptr<LayerPass> bind(const PassBuffers& buffers,
                                    const PassContext& context) const override;

private:
    double rate_;
    std::uint32_t index_;
};

}  // namespace lockstep::trainer
