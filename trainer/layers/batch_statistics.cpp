#include "trainer/layers/batch_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "trainer/determinism/shards.hpp"

namespace lockstep::trainer {

void ChannelAffine::set(std::size_t c, double mean, double inv_std, float gamma, float beta) {
    const double factor = static_cast<double>(gamma) * inv_std;
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(static_cast<double>(beta) - mean * factor);
}

BatchStatistics::BatchStatistics(const BatchNormalizationConfig& config,
                                 const BatchNormTensors& tensors, int pixels, std::size_t channels,
                                 const PassBuilder& pass)
    : config_(config),
      tensors_(tensors),
      batch_(pass.geometry().batch),
      pixels_(pixels),
      channels_(channels),
      parameters_(pass.context().parameters),
      clocks_(pass.context().clocks),
      gather_(pass.context().comm, pass.context().filled_shards, 2 * static_cast<int>(channels)),
      affine_(channels) {
    for (auto* values : {&mean_, &squares_, &variance_, &inv_std_}) values->resize(channels);
    for (auto* values : {&mean_float_, &sum_share_, &product_share_}) values->resize(channels);
}

void BatchStatistics::gather() {
    const auto scope = clocks_.exchange.measure();
    gather_.gather();
}

// Chan's pairwise update, over the shards in their order.
void BatchStatistics::exchange_moments() {
    gather();
    std::ranges::fill(mean_, 0.0);
    std::ranges::fill(squares_, 0.0);
    double count = 0.0;
    for (int s = 0; s < gather_.shards(); ++s) {
        const auto table = gather_.shard(s);
        const double samples = near_equal_piece(batch_, gather_.shards(), s).count;
        const double added = samples * pixels_, total = count + added;
        for (std::size_t c = 0; c < channels_; ++c) {
            const double delta = table[c] - mean_[c];
            mean_[c] += delta * (added / total);
            squares_[c] += table[channels_ + c] + delta * delta * (count * added / total);
        }
        count = total;
    }
    const GammaAndBeta values(tensors_, parameters_);
    for (std::size_t c = 0; c < channels_; ++c) {
        variance_[c] = squares_[c] / count;
        inv_std_[c] = 1.0 / std::sqrt(variance_[c] + config_.epsilon);
        mean_float_[c] = static_cast<float>(mean_[c]);
        affine_.set(c, mean_[c], inv_std_[c], values.gamma(c), values.beta(c));
    }
}

// d gamma = sum(dy (x - mean)) inv_std, d beta = sum(dy).
void BatchStatistics::write_parameter_gradients(std::size_t shard, float* diff_gamma,
                                                float* diff_beta) {
    const auto table = gradient_sums(shard);
    for (std::size_t c = 0; c < channels_; ++c) {
        if (diff_beta != nullptr) diff_beta[c] = static_cast<float>(table[c]);
        if (diff_gamma != nullptr)
            diff_gamma[c] = static_cast<float>(table[channels_ + c] * inv_std_[c]);
    }
}

void BatchStatistics::exchange_gradient_sums() {
    gather();
    const double count = static_cast<double>(batch_) * pixels_;
    for (std::size_t c = 0; c < channels_; ++c) {
        double sum = 0.0, product = 0.0;
        for (int s = 0; s < gather_.shards(); ++s) {
            sum += gather_.shard(s)[c];
            product += gather_.shard(s)[channels_ + c];
        }
        sum_share_[c] = static_cast<float>(sum / count);
        product_share_[c] = static_cast<float>(product * inv_std_[c] * inv_std_[c] / count);
    }
}

void BatchStatistics::commit() {
    const auto take_in = [this](std::size_t tensor, const std::vector<double>& of_batch) {
        float* moving = parameters_.data(tensor);
        for (std::size_t c = 0; c < channels_; ++c)
            moving[c] = static_cast<float>(static_cast<double>(moving[c]) * config_.momentum +
                                           of_batch[c] * (1.0 - config_.momentum));
    };
    take_in(tensors_.moving_mean, mean_);
    take_in(tensors_.moving_variance, variance_);
}

void set_moving_affine(ChannelAffine& affine, double epsilon, const BatchNormTensors& tensors,
                       Parameters& parameters) {
    const float* mean = parameters.data(tensors.moving_mean);
    const float* variance = parameters.data(tensors.moving_variance);
    const GammaAndBeta values(tensors, parameters);
    for (std::size_t c = 0; c < affine.scale.size(); ++c)
        affine.set(c, static_cast<double>(mean[c]),
                   1.0 / std::sqrt(static_cast<double>(variance[c]) + epsilon), values.gamma(c),
                   values.beta(c));
}

}  // namespace lockstep::trainer
