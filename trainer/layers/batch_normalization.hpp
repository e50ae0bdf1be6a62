#pragma once

// BatchNormalization over channels, with the statistics of the whole global batch, as Keras
// computes them on one machine (batch_statistics.hpp). Both variances, for normalizing and for the
// moving one, are divided by n. A frozen layer normalizes by its moving statistics in training too,
// and leaves them, as Keras' does.

#include <functional>
#include <vector>

#include "trainer/layers/batch_statistics.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

BatchNormTensors add_batch_norm_tensors(Parameters& parameters, const LayerShape& shape,
                                        const Layout& layout);

class BatchNormalization : public Layer {
public:
    BatchNormalization(const BatchNormalizationConfig& config, const LayerSetting& setting,
                       const Layout& src, Parameters& parameters)
        : Layer(src, src),
          config_(config),
          is_frozen_(!setting.config.trainable),
          tensors_(add_batch_norm_tensors(parameters, setting.shape, src)) {}
    bool can_mask_src_relu() const override { return true; }
    std::optional<MovingNorm> moving_norm() const override {
        return MovingNorm{tensors_, config_.epsilon};
    }
    void bind(PassBuilder& pass) const override;

private:
    void bind_training(PassBuilder& pass) const;
    void bind_moving(PassBuilder& pass) const;
    void add_data_gradient(PassBuilder& pass, std::function<BatchNormGradient()> gradient) const;

    BatchNormalizationConfig config_;
    bool is_frozen_;
    BatchNormTensors tensors_;
};

// The pieces that batch normalization shares with what is fused to it.
//   moments of each shard, their exchange:
void add_moments(PassBuilder& pass, BatchStatistics& statistics, const Layout& layout);
// A normalization by its moving statistics.
struct MovingAffine {
    ChannelAffine map;
    std::vector<float> zeros;

    explicit MovingAffine(std::size_t channels) : map(channels), zeros(channels, 0.0F) {}
    // What batch_norm_backward() makes dx = dy scale of: no statistic depends on x.
    BatchNormGradient gradient() const { return {zeros, map.scale, zeros, zeros}; }
};
//   in evaluation and of a frozen layer, the affine map, before the shards:
void add_moving_affine(PassBuilder& pass, ChannelAffine& affine,
                       const BatchNormalizationConfig& config, const BatchNormTensors& tensors);
//   the gradients of gamma and beta, and the exchange of the sums. Where no gradient of src is
//   wanted, nothing is exchanged.
//   sums   writes statistics.gradient_sums(shard)
void add_gradient_sums(PassBuilder& pass, BatchStatistics& statistics,
                       const BatchNormTensors& tensors, std::vector<Buffer*> reads,
                       std::function<void(std::size_t shard)> sums);

}  // namespace lockstep::trainer
