#pragma once

// Dropout, inverted: kept values are scaled by 1 / (1 - rate), so evaluation needs nothing.
//
// Which values are kept is a function of (seed, step, layer, place of the sample in the whole
// batch, place in the sample): the same on any number of ranks.

#include "trainer/kernels/elementwise.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Dropout : public Layer {
public:
    Dropout(const DropoutConfig& config, std::uint32_t index, const Layout& layout)
        : Layer(layout, layout), rate_(config.rate), index_(index) {}
    bool is_identity() const override { return rate_ == 0.0; }
    bool is_identity_in_evaluation() const override { return true; }
    void bind(PassBuilder& pass) const override;

private:
    double rate_;
    std::uint32_t index_;
};

// What is the same for all samples, and the draw of one: by the layer's place in the network, the
// step, and the sample's in the whole batch.
DropoutDraw dropout_draw(double rate, std::uint64_t seed);
DropoutDraw draw_of_sample(DropoutDraw draw, std::uint32_t layer, std::int64_t step, int sample);

}  // namespace lockstep::trainer
