#pragma once

// The statistics of one batch normalization in training: every shard's moments travel to all ranks,
// and every rank combines them in shard order, in double; so do the two sums of the backward pass.

#include <optional>
#include <span>
#include <vector>

#include "trainer/exchange/shard_gather.hpp"
#include "trainer/kernels/batch_norm.hpp"
#include "trainer/layers/folded_norm.hpp"
#include "trainer/layers/pass_builder.hpp"

namespace lockstep::trainer {

// y = x * scale + shift, a pair for each channel.
struct ChannelAffine {
    std::vector<float> scale;
    std::vector<float> shift;

    explicit ChannelAffine(std::size_t channels) : scale(channels), shift(channels) {}
    void set(std::size_t c, double mean, double inv_std, float gamma, float beta);
};

// Gamma and beta as they are now, by channel.
class GammaAndBeta {
public:
    GammaAndBeta(const BatchNormTensors& tensors, Parameters& parameters)
        : gamma_(tensors.gamma ? parameters.data(*tensors.gamma) : nullptr),
          beta_(tensors.beta ? parameters.data(*tensors.beta) : nullptr) {}
    float gamma(std::size_t c) const { return gamma_ == nullptr ? 1.0F : gamma_[c]; }
    float beta(std::size_t c) const { return beta_ == nullptr ? 0.0F : beta_[c]; }

private:
    const float *gamma_, *beta_;
};

class BatchStatistics {
public:
    //   pixels   of one sample that the statistics are over
    BatchStatistics(const BatchNormalizationConfig& config, const BatchNormTensors& tensors,
                    int pixels, std::size_t channels, const PassBuilder& pass);

    // Forward: moments of each own shard, then the batch's. The table is [2][channels]: mean, and
    // squared deviations from it.
    std::span<double> moments(std::size_t shard) { return gather_.own(shard); }
    void exchange_moments();
    const ChannelAffine& affine() const { return affine_; }
    std::span<const float> mean() const { return mean_float_; }

    // Backward: [2][channels] of each own shard: sum(dy), and sum(dy (x - mean)).
    std::span<double> gradient_sums(std::size_t shard) { return gather_.own(shard); }
    // d gamma and d beta of a shard, from its sums. Null: there is none.
    void write_parameter_gradients(std::size_t shard, float* diff_gamma, float* diff_beta);
    void exchange_gradient_sums();
    BatchNormGradient gradient() const {
        return {mean_float_, affine_.scale, sum_share_, product_share_};
    }

    // The moving statistics take the batch's in, as Keras does: by weights that add up to one.
    void commit();

    std::size_t channels() const { return channels_; }

private:
    void gather();

    BatchNormalizationConfig config_;
    BatchNormTensors tensors_;
    int batch_;
    int pixels_;
    std::size_t channels_;  // padded
    Parameters& parameters_;
    StepClocks& clocks_;
    ShardGather gather_;
    std::vector<double> mean_, squares_, variance_, inv_std_;
    std::vector<float> mean_float_, sum_share_, product_share_;
    ChannelAffine affine_;
};

// The affine map of evaluation, and of a frozen layer, by the moving statistics as they are.
void set_moving_affine(ChannelAffine& affine, double epsilon, const BatchNormTensors& tensors,
                       Parameters& parameters);

}  // namespace lockstep::trainer
