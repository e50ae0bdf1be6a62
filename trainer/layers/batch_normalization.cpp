#include "trainer/layers/batch_normalization.hpp"

#include "trainer/kernels/batch_norm.hpp"

namespace lockstep::trainer {

BatchNormTensors add_batch_norm_tensors(Parameters& parameters, const LayerShape& shape,
                                        const Layout& layout) {
    BatchNormTensors tensors;
    for (const ParameterShape& parameter : shape.parameters) {
        const std::size_t tensor = parameters.add(
            shape.name, parameter,
            std::make_unique<ChannelFormat>(feature_positions(layout),
                                            static_cast<std::size_t>(layout.padded_channels())));
        if (parameter.name == "gamma") tensors.gamma = tensor;
        if (parameter.name == "beta") tensors.beta = tensor;
        if (parameter.name == "moving_mean") tensors.moving_mean = tensor;
        if (parameter.name == "moving_variance") tensors.moving_variance = tensor;
    }
    return tensors;
}

void add_moments(PassBuilder& pass, BatchStatistics& statistics, const Layout& layout) {
    pass.forward({.what = "moments",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {},
                  .run = [&statistics, &layout, &src = pass.src(), shards = pass.shards()](
                             const StepContext&, std::size_t i) {
                      const auto table = statistics.moments(i);
                      batch_norm_moments(layout, src.of_shard(i), shards[i].count,
                                         table.first(statistics.channels()),
                                         table.last(statistics.channels()));
                  }});
    pass.forward(
        {.what = "exchange of moments",
         .extent = Extent::batch,
         .reads = {},
         .writes = {},
         .run = [&statistics](const StepContext&, std::size_t) { statistics.exchange_moments(); }});
    pass.commit([&statistics] { statistics.commit(); });
}

void add_moving_affine(PassBuilder& pass, ChannelAffine& affine,
                       const BatchNormalizationConfig& config, const BatchNormTensors& tensors) {
    pass.forward(
        {.what = "moving statistics",
         .extent = Extent::prepare,
         .reads = {},
         .writes = {},
         .run = [&affine, tensors, epsilon = config.epsilon,
                 &parameters = pass.context().parameters](const StepContext&, std::size_t) {
             set_moving_affine(affine, epsilon, tensors, parameters);
         }});
}

void add_gradient_sums(PassBuilder& pass, BatchStatistics& statistics,
                       const BatchNormTensors& tensors, std::vector<Buffer*> reads,
                       std::function<void(std::size_t shard)> sums) {
    const auto of = [&gradients = pass.gradients()](const std::optional<std::size_t>& tensor,
                                                    std::size_t shard) {
        return tensor ? gradients.of(*tensor, shard) : nullptr;
    };
    if (!tensors.gamma && !tensors.beta && pass.diff_src() == nullptr) return;
    pass.backward({.what = "sums of the gradient",
                   .extent = Extent::shard,
                   .reads = std::move(reads),
                   .writes = pass.gradients().buffers(),
                   .run = [&statistics, tensors, of, sums = std::move(sums)](const StepContext&,
                                                                             std::size_t i) {
                       sums(i);
                       statistics.write_parameter_gradients(i, of(tensors.gamma, i),
                                                            of(tensors.beta, i));
                   }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "exchange of sums",
                   .extent = Extent::batch,
                   .reads = {},
                   .writes = {},
                   .run = [&statistics](const StepContext&, std::size_t) {
                       statistics.exchange_gradient_sums();
                   }});
}

void BatchNormalization::bind(PassBuilder& pass) const {
    pass.is_training() && !is_frozen_ ? bind_training(pass) : bind_moving(pass);
}

void BatchNormalization::bind_moving(PassBuilder& pass) const {
    auto& affine = pass.keep(
        std::make_unique<MovingAffine>(static_cast<std::size_t>(src().padded_channels())));
    add_moving_affine(pass, affine.map, config_, tensors_);
    pass.forward({.what = "normalization",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [this, &map = affine.map, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext&, std::size_t i) {
                      batch_norm_apply(this->src(), src.of_shard(i), map.scale, map.shift,
                                       dst.of_shard(i), shards[i].count);
                  }});
    if (pass.diff_src() == nullptr) return;
    add_data_gradient(pass, [&affine] { return affine.gradient(); });
}

void BatchNormalization::bind_training(PassBuilder& pass) const {
    auto& statistics = pass.keep(
        std::make_unique<BatchStatistics>(config_, tensors_, src().pixels(),
                                          static_cast<std::size_t>(src().padded_channels()), pass));
    add_moments(pass, statistics, src());
    pass.forward({.what = "normalization",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .is_repeatable = true,
                  .run = [this, &statistics, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext&, std::size_t i) {
                      batch_norm_apply(this->src(), src.of_shard(i), statistics.affine().scale,
                                       statistics.affine().shift, dst.of_shard(i), shards[i].count);
                  }});
    add_gradient_sums(pass, statistics, tensors_, {&pass.src(), &pass.diff_dst()},
                      [this, &statistics, &src = pass.src(), &diff_dst = pass.diff_dst(),
                       shards = pass.shards()](std::size_t i) {
                          const auto table = statistics.gradient_sums(i);
                          batch_norm_gradient_sums(
                              this->src(), src.of_shard(i), diff_dst.of_shard(i), statistics.mean(),
                              shards[i].count, table.first(statistics.channels()),
                              table.last(statistics.channels()));
                      });
    if (pass.diff_src() == nullptr) return;
    add_data_gradient(pass, [&statistics] { return statistics.gradient(); });
}

void BatchNormalization::add_data_gradient(PassBuilder& pass,
                                           std::function<BatchNormGradient()> gradient) const {
    pass.backward(
        {.what = "normalization",
         .extent = Extent::shard,
         .reads = {&pass.src(), &pass.diff_dst()},
         .writes = {pass.diff_src()},
         .may_overwrite = &pass.diff_dst(),
         .run = [this, gradient = std::move(gradient), masks = pass.masks_src_relu(),
                 &src = pass.src(), &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                 shards = pass.shards()](const StepContext&, std::size_t i) {
             batch_norm_backward(this->src(), src.of_shard(i), diff_dst.of_shard(i), gradient(),
                                 masks, diff_src.of_shard(i), shards[i].count);
         }});
}

}  // namespace lockstep::trainer
