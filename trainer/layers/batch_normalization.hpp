#pragma once

// BatchNormalization over channels, with the statistics of the whole global batch, as Keras
// computes them on one machine.
//
// Each shard's moments travel to all ranks, and every rank combines them in shard order, in double;
// so do the two sums of the backward pass. Both variances, for normalizing and for the moving one,
// are divided by n.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class BatchNormalization : public Layer {
public:
    // The tensors of one layer in the network's parameters.
    struct Tensors {
        std::size_t gamma, beta, moving_mean, moving_variance;
    };

    BatchNormalization(const BatchNormalizationConfig& config, const LayerShape& shape,
                       const Layout& src, Parameters& parameters);
    bool can_mask_src_relu() const override { return true; }
    bool has_parameters() const override { return true; }
    std::unique_ptr<LayerPass> bind(const PassBuffers& buffers,
                                    const PassContext& context) const override;

private:
    BatchNormalizationConfig config_;
    Tensors tensors_{};
};

}  // namespace lockstep::trainer
