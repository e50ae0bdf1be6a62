#include "trainer/layers/layer_normalization.hpp"

#include "trainer/kernels/layer_norm.hpp"
#include "trainer/kernels/padding.hpp"

namespace lockstep::trainer {

LayerNormalization::LayerNormalization(const LayerNormalizationConfig& config,
                                       const LayerShape& shape, const Layout& src,
                                       Parameters& parameters)
    : Layer(src, src),
      epsilon_(config.epsilon),
      channels_(shape.input.channels),
      mask_(channel_mask(src)),
      zeros_(mask_.size(), 0.0F) {
    for (const ParameterShape& parameter : shape.parameters)
        (parameter.name == "gamma" ? gamma_ : beta_) =
            parameters.add(shape.name, parameter,
                           std::make_unique<ChannelFormat>(feature_positions(src), mask_.size()));
}

// What the pieces of one plan have in common.
class LayerNormalization::Pass {
public:
    Pass(const LayerNormalization& layer, PassBuilder& pass)
        : layer_(layer),
          parameters_(pass.context().parameters),
          src_(pass.src()),
          shards_(pass.shards()),
          moments_(pass.scratch(
              {.bytes = static_cast<std::size_t>(layer.src().pixels()) * sizeof(PixelMoments),
               .is_fixed = false})),
          sum_(layer.mask_.size()),
          product_(layer.mask_.size()) {}

    Buffer& moments() const { return moments_; }
    bool is_trained() const {
        const auto is = [&](const std::optional<std::size_t>& tensor) {
            return tensor && parameters_.is_trained(*tensor);
        };
        return is(layer_.gamma_) || is(layer_.beta_);
    }

    void forward(const Buffer& dst, std::size_t i) const {
        layer_norm_forward(layer_.src(), src_.of_shard(i), values(), layer_.epsilon_,
                           dst.of_shard(i), moments_of(i), shards_[i].count);
    }
    void backward(const Buffer& diff_dst, const Buffer& diff_src, std::size_t i) const {
        layer_norm_backward(layer_.src(), src_.of_shard(i), diff_dst.of_shard(i), values(),
                            moments_of(i), diff_src.of_shard(i), shards_[i].count);
    }
    void write_gradients(const Buffer& diff_dst, const GradientPlaces& places, std::size_t i) {
        layer_norm_gradient_sums(layer_.src(), src_.of_shard(i), diff_dst.of_shard(i),
                                 moments_of(i), shards_[i].count, sum_, product_);
        if (layer_.beta_) write(sum_, places.of(*layer_.beta_, i));
        if (layer_.gamma_) write(product_, places.of(*layer_.gamma_, i));
    }

private:
    LayerNormValues values() const {
        const auto of = [&](const std::optional<std::size_t>& tensor, const float* otherwise) {
            return tensor ? parameters_.data(*tensor) : otherwise;
        };
        return {layer_.channels_, layer_.mask_.data(), of(layer_.gamma_, layer_.mask_.data()),
                of(layer_.beta_, layer_.zeros_.data())};
    }
    PixelMoments* moments_of(std::size_t i) const { return moments_.of_shard<PixelMoments>(i); }
    // Padding's deviations are none.
    void write(const std::vector<double>& sums, float* gradient) const {
        for (std::size_t c = 0; c < sums.size(); ++c)
            gradient[c] = layer_.mask_[c] == 0.0F ? 0.0F : static_cast<float>(sums[c]);
    }

    const LayerNormalization& layer_;
    Parameters& parameters_;
    const Buffer& src_;
    std::vector<SampleRange> shards_;
    Buffer& moments_;
    std::vector<double> sum_, product_;  // of one shard, by padded channel
};

void LayerNormalization::bind(PassBuilder& pass) const {
    auto& own = pass.keep(std::make_unique<Pass>(*this, pass));
    pass.forward({.what = "layer normalization",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst(), &own.moments()},
                  .may_overwrite = &pass.src(),
                  .run = [&own, &dst = pass.dst()](const StepContext&, std::size_t i) {
                      own.forward(dst, i);
                  }});
    if (!pass.is_training()) return;
    const std::vector<Buffer*> reads{&pass.src(), &pass.diff_dst(), &own.moments()};
    if (own.is_trained())
        pass.backward({.what = "sums of the gradient",
                       .extent = Extent::shard,
                       .reads = reads,
                       .writes = pass.gradients().buffers(),
                       .run = [&own, &diff_dst = pass.diff_dst(), &places = pass.gradients()](
                                  const StepContext&, std::size_t i) {
                           own.write_gradients(diff_dst, places, i);
                       }});
    if (pass.diff_src() == nullptr) return;
    pass.backward(
        {.what = "layer normalization",
         .extent = Extent::shard,
         .reads = reads,
         .writes = {pass.diff_src()},
         .may_overwrite = &pass.diff_dst(),
         .run = [&own, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src()](
                    const StepContext&, std::size_t i) { own.backward(diff_dst, diff_src, i); }});
}

}  // namespace lockstep::trainer
