#include "trainer/layers/batch_normalization.hpp"

#include <cmath>

#include "trainer/determinism/shards.hpp"
#include "trainer/exchange/shard_gather.hpp"
#include "trainer/kernels/batch_norm.hpp"

namespace lockstep::trainer {

namespace {

struct Affine {  // y = x * scale + shift
    std::vector<float> scale;
    std::vector<float> shift;
};

void set_affine(Affine& affine, std::size_t c, double mean, double inv_std, float gamma,
                float beta) {
    const double scale = static_cast<double>(gamma) * inv_std;
    affine.scale[c] = static_cast<float>(scale);
    affine.shift[c] = static_cast<float>(static_cast<double>(beta) - mean * scale);
}

// Evaluation, by the moving statistics.
class InferencePass : public LayerPass {
public:
    InferencePass(const BatchNormalizationConfig& config,
                  const BatchNormalization::Tensors& tensors, const Layout& layout,
                  const PassBuffers& buffers, const PassContext& context)
        : epsilon_(config.epsilon),
          tensors_(tensors),
          layout_(layout),
          buffers_(buffers),
          parameters_(context.parameters),
          samples_(context.geometry.samples) {
        const auto channels = static_cast<std::size_t>(layout.padded_channels());
        affine_.scale.resize(channels);
        affine_.shift.resize(channels);
    }

    void forward(const StepContext&) override {
        const float* mean = parameters_.data(tensors_.moving_mean);
        const float* variance = parameters_.data(tensors_.moving_variance);
        const float* gamma = parameters_.data(tensors_.gamma);
        const float* beta = parameters_.data(tensors_.beta);
        for (std::size_t c = 0; c < affine_.scale.size(); ++c)
            set_affine(affine_, c, static_cast<double>(mean[c]),
                       1.0 / std::sqrt(static_cast<double>(variance[c]) + epsilon_), gamma[c],
                       beta[c]);
        batch_norm_apply(layout_, buffers_.src, affine_.scale, affine_.shift, buffers_.dst,
                         samples_);
    }
    void backward() override {}

private:
    double epsilon_;
    const BatchNormalization::Tensors& tensors_;
    const Layout& layout_;
    PassBuffers buffers_;
    Parameters& parameters_;
    int samples_;
    Affine affine_;
};

// Training, by the statistics of the whole batch.
class TrainingPass : public LayerPass {
public:
    TrainingPass(const BatchNormalizationConfig& config, const BatchNormalization::Tensors& tensors,
                 const Layout& layout, const PassBuffers& buffers, const PassContext& context);
    void forward(const StepContext& context) override;
    void backward() override;
    void commit() override;

private:
    std::size_t at(const SampleRange& shard) const {
        return static_cast<std::size_t>(shard.first) * layout_.sample_size();
    }
    double pixels_of_shard(int shard) const {
        return static_cast<double>(
                   near_equal_piece(geometry_.batch, gather_.shards(), shard).count) *
               layout_.pixels();
    }
    void exchange();
    void combine_moments();
    void combine_gradient_sums();
    void write_parameter_gradients();

    BatchNormalizationConfig config_;
    const BatchNormalization::Tensors& tensors_;
    const Layout& layout_;
    PassBuffers buffers_;
    const BatchGeometry& geometry_;
    Parameters& parameters_;
    StepClocks& clocks_;
    std::size_t channels_;  // padded
    bool masks_src_relu_;
    ShardGather gather_;  // a shard: [2][channels]
    std::vector<float*> diff_gamma_, diff_beta_;
    std::vector<double> mean_, squares_, variance_, inv_std_;
    std::vector<float> mean_float_, sum_share_, product_share_;
    Affine affine_;
};

TrainingPass::TrainingPass(const BatchNormalizationConfig& config,
                           const BatchNormalization::Tensors& tensors, const Layout& layout,
                           const PassBuffers& buffers, const PassContext& context)
    : config_(config),
      tensors_(tensors),
      layout_(layout),
      buffers_(buffers),
      geometry_(context.geometry),
      parameters_(context.parameters),
      clocks_(context.clocks),
      channels_(static_cast<std::size_t>(layout.padded_channels())),
      masks_src_relu_(context.masks_src_relu),
      gather_(context.comm, context.filled_shards, 2 * layout.padded_channels()),
      diff_gamma_(shard_gradients(context, tensors.gamma)),
      diff_beta_(shard_gradients(context, tensors.beta)) {
    for (auto* values : {&mean_, &squares_, &variance_, &inv_std_}) values->resize(channels_);
    for (auto* values :
         {&mean_float_, &sum_share_, &product_share_, &affine_.scale, &affine_.shift})
        values->resize(channels_);
}

void TrainingPass::exchange() {
    const auto scope = clocks_.exchange.measure();
    gather_.gather();
}

void TrainingPass::forward(const StepContext&) {
    for (std::size_t i = 0; i < geometry_.shards.size(); ++i) {
        const SampleRange& shard = geometry_.shards[i];
        const auto table = gather_.own(i);
        batch_norm_moments(layout_, buffers_.src + at(shard), shard.count, mean_float_,
                           table.first(channels_), table.last(channels_));
    }
    exchange();
    combine_moments();
    for (const SampleRange& shard : geometry_.shards)
        batch_norm_apply(layout_, buffers_.src + at(shard), affine_.scale, affine_.shift,
                         buffers_.dst + at(shard), shard.count);
}

// Chan's pairwise update, over the shards in their order.
void TrainingPass::combine_moments() {
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(squares_.begin(), squares_.end(), 0.0);
    double count = 0.0;
    for (int s = 0; s < gather_.shards(); ++s) {
        const auto table = gather_.shard(s);
        const double added = pixels_of_shard(s), total = count + added;
        for (std::size_t c = 0; c < channels_; ++c) {
            const double delta = table[c] - mean_[c];
            mean_[c] += delta * (added / total);
            squares_[c] += table[channels_ + c] + delta * delta * (count * added / total);
        }
        count = total;
    }
    const float* gamma = parameters_.data(tensors_.gamma);
    const float* beta = parameters_.data(tensors_.beta);
    for (std::size_t c = 0; c < channels_; ++c) {
        variance_[c] = squares_[c] / count;
        inv_std_[c] = 1.0 / std::sqrt(variance_[c] + config_.epsilon);
        mean_float_[c] = static_cast<float>(mean_[c]);
        set_affine(affine_, c, mean_[c], inv_std_[c], gamma[c], beta[c]);
    }
}

// The moving statistics take the batch's in, as Keras does: by weights that add up to one.
void TrainingPass::commit() {
    const auto take_in = [this](std::size_t tensor, const std::vector<double>& of_batch) {
        float* moving = parameters_.data(tensor);
        for (std::size_t c = 0; c < channels_; ++c)
            moving[c] = static_cast<float>(static_cast<double>(moving[c]) * config_.momentum +
                                           of_batch[c] * (1.0 - config_.momentum));
    };
    take_in(tensors_.moving_mean, mean_);
    take_in(tensors_.moving_variance, variance_);
}

void TrainingPass::backward() {
    for (std::size_t i = 0; i < geometry_.shards.size(); ++i) {
        const SampleRange& shard = geometry_.shards[i];
        const auto table = gather_.own(i);
        batch_norm_gradient_sums(layout_, buffers_.src + at(shard), buffers_.diff_dst + at(shard),
                                 mean_float_, shard.count, table.first(channels_),
                                 table.last(channels_));
    }
    write_parameter_gradients();
    if (buffers_.diff_src == nullptr) return;
    exchange();
    combine_gradient_sums();
    for (const SampleRange& shard : geometry_.shards)
        batch_norm_backward(layout_, buffers_.src + at(shard), buffers_.diff_dst + at(shard),
                            {mean_float_, affine_.scale, sum_share_, product_share_},
                            masks_src_relu_, buffers_.diff_src + at(shard), shard.count);
}

// d gamma = sum(dy (x - mean)) inv_std, d beta = sum(dy): a shard's part, summed by the exchange.
void TrainingPass::write_parameter_gradients() {
    for (std::size_t i = 0; i < geometry_.shards.size(); ++i) {
        const auto table = gather_.own(i);
        for (std::size_t c = 0; c < channels_; ++c) {
            diff_beta_[i][c] = static_cast<float>(table[c]);
            diff_gamma_[i][c] = static_cast<float>(table[channels_ + c] * inv_std_[c]);
        }
    }
}

void TrainingPass::combine_gradient_sums() {
    const double count = static_cast<double>(geometry_.batch) * layout_.pixels();
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

}  // namespace

BatchNormalization::BatchNormalization(const BatchNormalizationConfig& config,
                                       const LayerShape& shape, const Layout& src,
                                       Parameters& parameters)
    : Layer(src, src), config_(config) {
    const auto add = [&](std::size_t i) {
        return parameters.add(
            shape.name, shape.parameters[i],
            std::make_unique<ChannelFormat>(feature_positions(src),
                                            static_cast<std::size_t>(src.padded_channels())));
    };
    tensors_ = {add(0), add(1), add(2), add(3)};
}

std::unique_ptr<LayerPass> BatchNormalization::bind(const PassBuffers& buffers,
                                                    const PassContext& context) const {
    if (context.is_training)
        return std::make_unique<TrainingPass>(config_, tensors_, src(), buffers, context);
    return std::make_unique<InferencePass>(config_, tensors_, src(), buffers, context);
}

}  // namespace lockstep::trainer
