#pragma once

// SpatialDropout2D: whole channels of an image are kept, and scaled by 1 / (1 - rate), or zero.
//
// The draw of a channel is that of dropout's element of the same number (dropout.hpp): the same on
// any number of ranks, and in any layout.

#include <vector>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class SpatialDropout : public Layer {
public:
    SpatialDropout(const DropoutConfig& config, std::uint32_t index, const Layout& layout)
        : Layer(layout, layout),
          rate_(config.rate),
          index_(index),
          ones_(static_cast<std::size_t>(layout.padded_channels()), 1.0F) {}
    bool is_identity() const override { return rate_ == 0.0; }
    bool is_identity_in_evaluation() const override { return true; }
    void bind(PassBuilder& pass) const override;

private:
    double rate_;
    std::uint32_t index_;
    std::vector<float> ones_;  // one a padded channel
};

}  // namespace lockstep::trainer
