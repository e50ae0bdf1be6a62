#include "trainer/layers/pooling.hpp"

namespace lockstep::trainer {

namespace {

void bind_max(PassBuilder& pass, const PoolingShape& shape) {
    Buffer& places =
        pass.scratch({.bytes = shape.dst.sample_size() * sizeof(PlaceInWindow), .is_fixed = false});
    const auto places_of = [&places](std::size_t shard) {
        return places.of_shard<PlaceInWindow>(shard);
    };
    pass.forward({.what = "max pooling",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst(), &places},
                  .run = [&shape, places_of, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext&, std::size_t i) {
                      max_pooling_forward(shape, src.of_shard(i), dst.of_shard(i), places_of(i),
                                          shards[i].count);
                  }});
    if (pass.diff_src() == nullptr) return;
    std::vector<Buffer*> reads{&pass.diff_dst(), &places};
    Buffer* relu_src = pass.masks_src_relu() ? &pass.src() : nullptr;
    if (relu_src != nullptr) reads.push_back(relu_src);
    pass.backward({.what = "max pooling",
                   .extent = Extent::shard,
                   .reads = reads,
                   .writes = {pass.diff_src()},
                   .run = [&shape, places_of, relu_src, &diff_dst = pass.diff_dst(),
                           &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       max_pooling_backward(shape, diff_dst.of_shard(i), places_of(i),
                                            relu_src == nullptr ? nullptr : relu_src->of_shard(i),
                                            diff_src.of_shard(i), shards[i].count);
                   }});
}

void bind_average(PassBuilder& pass, const PoolingShape& shape) {
    pass.forward({.what = "average pooling",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [&shape, &src = pass.src(), &dst = pass.dst(), shards = pass.shards()](
                             const StepContext&, std::size_t i) {
                      average_pooling_forward(shape, src.of_shard(i), dst.of_shard(i),
                                              shards[i].count);
                  }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "average pooling",
                   .extent = Extent::shard,
                   .reads = {&pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .run = [&shape, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       average_pooling_backward(shape, diff_dst.of_shard(i), diff_src.of_shard(i),
                                                shards[i].count);
                   }});
}

}  // namespace

PoolingShape pooling_shape(const PoolingConfig& config, const LayerShape& shape, const Layout& src,
                           const Layout& dst) {
    const Window rows =
        window_of(shape.input.height, config.pool_size[0], config.strides[0], config.padding);
    const Window columns =
        window_of(shape.input.width, config.pool_size[1], config.strides[1], config.padding);
    return {src, dst, config.pool_size, config.strides, {rows.pad_before, columns.pad_before}};
}

Pooling::Pooling(const PoolingConfig& config, const LayerShape& shape, const Layout& src)
    : Layer(src, blocked(shape.output, src.block)),
      kind_(config.kind),
      shape_(pooling_shape(config, shape, this->src(), dst())) {}

namespace {

// One pixel, or the vector of its channels.
Layout pooled_image(const GlobalPoolingConfig& config, const Layout& src) {
    const Layout pixel = blocked({1, 1, src.channels, false}, src.block);
    return config.keepdims ? pixel : flattened(pixel);
}

}  // namespace

Pooling::Pooling(const GlobalPoolingConfig& config, const Layout& src)
    : Layer(src, pooled_image(config, src)),
      kind_(config.kind),
      shape_{this->src(),
             blocked({1, 1, src.channels, false}, src.block),
             {src.height, src.width},
             {src.height, src.width},
             {0, 0}} {}

void Pooling::bind(PassBuilder& pass) const {
    kind_ == PoolingKind::max ? bind_max(pass, shape_) : bind_average(pass, shape_);
}

}  // namespace lockstep::trainer
