#pragma once

// BatchNormalization over channels, with the statistics of the whole global batch, as Keras
// computes them on one machine (batch_statistics.hpp). Both variances, for normalizing and for the
// moving one, are divided by n.

#include "trainer/layers/batch_statistics.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

BatchNormTensors add_batch_norm_tensors(Parameters& parameters, const LayerShape& shape,
                                        const Layout& layout);

class BatchNormalization : public Layer {
public:
    BatchNormalization(const BatchNormalizationConfig& config, const LayerShape& shape,
                       const Layout& src, Parameters& parameters)
        : Layer(src, src),
          config_(config),
          tensors_(add_batch_norm_tensors(parameters, shape, src)) {}
    bool can_mask_src_relu() const override { return true; }
    bool has_parameters() const override { return true; }
    std::optional<MovingNorm> moving_norm() const override {
        return MovingNorm{tensors_, config_.epsilon};
    }
    void bind(PassBuilder& pass) const override;

private:
    void bind_training(PassBuilder& pass) const;
    void bind_evaluation(PassBuilder& pass) const;

    BatchNormalizationConfig config_;
    BatchNormTensors tensors_;
};

// The pieces that batch normalization shares with what is fused to it.
//   moments of each shard, their exchange:
void add_moments(PassBuilder& pass, BatchStatistics& statistics, const Layout& layout);
//   in evaluation, the affine map, before the shards:
void add_moving_affine(PassBuilder& pass, ChannelAffine& affine,
                       const BatchNormalizationConfig& config, const BatchNormTensors& tensors);
//   the gradients of gamma and beta, and the exchange of the sums. Where no gradient of src is
//   wanted, nothing is exchanged.
//   sums   writes statistics.gradient_sums(shard)
void add_gradient_sums(PassBuilder& pass, BatchStatistics& statistics,
                       const BatchNormTensors& tensors, std::vector<Buffer*> reads,
                       std::function<void(std::size_t shard)> sums);

}  // namespace lockstep::trainer
