#include "trainer/layers/pooled_block.hpp"

#include "trainer/layers/dropout.hpp"

namespace lockstep::trainer {

// What the pieces of one plan have in common.
class PooledBlock::Pass {
public:
    Pass(const PooledBlock& block, PassBuilder& pass)
        : block_(block),
          shape_(block.shape_),
          src_(pass.src()),
          dst_(pass.dst()),
          shards_(pass.shards()),
          first_sample_(pass.geometry().first_sample),
          masks_(pass.masks_src_relu()),
          routes_(pass.is_training()
                      ? &pass.scratch({.bytes = shape_.dst.sample_size() * sizeof(PoolRoute),
                                       .is_fixed = false})
                      : nullptr),
          affine_(channels()) {
        if (block.drop_ && pass.is_training())
            draw_ = dropout_draw(block.drop_->rate, pass.context().seed);
        if (block.norm_ && !block.norm_->is_frozen && pass.is_training())
            statistics_.emplace(block.norm_->config, block.norm_->tensors, shape_.src.pixels(),
                                channels(), pass);
    }

    Buffer* routes() const { return routes_; }
    bool has_statistics() const { return statistics_.has_value(); }
    BatchStatistics& statistics() { return *statistics_; }
    ChannelAffine& moving_affine() { return affine_.map; }

    void forward(const StepContext& context, std::size_t i) const {
        DropoutDraw draw;
        if (draw_)
            draw = draw_of_sample(*draw_, block_.drop_->layer, context.step,
                                  first_sample_ + shards_[i].first);
        const Pooled pooled{.y = dst_.of_shard(i),
                            .routes = routes_ == nullptr ? nullptr : routes_of(i),
                            .draw = draw_ ? &draw : nullptr};
        if (!block_.norm_)
            return max_pool_2x2_forward(shape_, src_.of_shard(i), masks_, pooled, samples(i));
        const ChannelAffine& affine = statistics_ ? statistics_->affine() : affine_.map;
        batch_norm_max_pool_2x2_forward(shape_, src_.of_shard(i), affine.scale, affine.shift,
                                        pooled, samples(i));
    }
    void gradient_sums(const Buffer& diff_dst, std::size_t i) {
        const auto table = statistics_->gradient_sums(i);
        batch_norm_max_pool_2x2_gradient_sums(shape_, src_.of_shard(i), gradient(diff_dst, i),
                                              statistics_->mean(), samples(i),
                                              table.first(channels()), table.last(channels()));
    }
    void backward(const Buffer& diff_dst, const Buffer& diff_src, std::size_t i) const {
        if (block_.norm_)
            batch_norm_max_pool_2x2_backward(
                shape_, src_.of_shard(i), gradient(diff_dst, i),
                statistics_ ? statistics_->gradient() : affine_.gradient(), masks_,
                diff_src.of_shard(i), samples(i));
        else
            max_pool_2x2_backward(shape_, gradient(diff_dst, i), diff_src.of_shard(i), samples(i));
    }

private:
    std::size_t channels() const { return static_cast<std::size_t>(shape_.src.padded_channels()); }
    int samples(std::size_t shard) const { return shards_[shard].count; }
    PoolRoute* routes_of(std::size_t shard) const { return routes_->of_shard<PoolRoute>(shard); }
    PooledGradient gradient(const Buffer& diff_dst, std::size_t shard) const {
        return {.diff_y = diff_dst.of_shard(shard),
                .routes = routes_of(shard),
                .dropout_scale = draw_ ? draw_->scale : 1.0F};
    }

    const PooledBlock& block_;
    const PoolingShape& shape_;
    const Buffer &src_, &dst_;
    std::vector<SampleRange> shards_;
    int first_sample_;
    bool masks_;
    Buffer* routes_;
    MovingAffine affine_;  // of evaluation, or frozen
    std::optional<DropoutDraw> draw_{};
    std::optional<BatchStatistics> statistics_{};
};

void PooledBlock::bind(PassBuilder& pass) const {
    auto& own = pass.keep(std::make_unique<Pass>(*this, pass));
    if (own.has_statistics()) add_moments(pass, own.statistics(), src());
    if (norm_ && !own.has_statistics())
        add_moving_affine(pass, own.moving_affine(), norm_->config, norm_->tensors);
    std::vector<Buffer*> writes{&pass.dst()};
    if (own.routes() != nullptr) writes.push_back(own.routes());
    pass.forward(
        {.what = "pooled block",
         .extent = Extent::shard,
         .reads = {&pass.src()},
         .writes = writes,
         .run = [&own](const StepContext& context, std::size_t i) { own.forward(context, i); }});
    if (!pass.is_training() || (!own.has_statistics() && pass.diff_src() == nullptr)) return;
    Buffer& diff_dst = pass.diff_dst();
    std::vector<Buffer*> reads{&diff_dst, own.routes()};
    if (norm_) reads.push_back(&pass.src());
    if (own.has_statistics()) {
        add_gradient_sums(pass, own.statistics(), norm_->tensors, reads,
                          [&own, &diff_dst](std::size_t i) { own.gradient_sums(diff_dst, i); });
    }
    if (pass.diff_src() == nullptr) return;
    pass.backward(
        {.what = "pooled block",
         .extent = Extent::shard,
         .reads = reads,
         .writes = {pass.diff_src()},
         .may_overwrite = norm_ ? &pass.src() : nullptr,
         .run = [&own, &diff_dst, &diff_src = *pass.diff_src()](const StepContext&, std::size_t i) {
             own.backward(diff_dst, diff_src, i);
         }});
}

}  // namespace lockstep::trainer
