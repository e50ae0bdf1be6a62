#include "trainer/layers/first_conv_pool.hpp"

#include "trainer/kernels/first/first_kernel_format.hpp"
#include "trainer/kernels/first/first_passes.hpp"
#include "trainer/kernels/max_pool_2x2.hpp"
#include "trainer/kernels/vector_lanes.hpp"
#include "trainer/layers/conv2d.hpp"
#include "trainer/layers/pooling.hpp"

namespace lockstep::trainer {

namespace {

const Conv2dConfig& convolution_of(const LayerSetting& setting) {
    return std::get<Conv2dConfig>(setting.config.kind);
}

FirstConvolutionShape kernel_shape(const LayerSetting& setting) {
    return first_convolution_shape(convolution_shape(convolution_of(setting), setting));
}

bool fits_the_kernels(const LayerSetting& setting) {
    const Conv2dConfig& config = convolution_of(setting);
    const FirstConvolutionShape shape = kernel_shape(setting);
    return !setting.needs_diff_src && config.activation == Activation::relu &&
           convolution_shape(config, setting).is_plain() && FirstConvolution::computes(shape) &&
           FirstConvolution(shape).can_pool();
}

}  // namespace

bool FirstConvPool::takes(const LayerSetting& convolution, const LayerSetting& pooling) {
    const auto* pool = std::get_if<PoolingConfig>(&pooling.config.kind);
    if (!std::holds_alternative<Conv2dConfig>(convolution.config.kind) || pool == nullptr ||
        pool->kind != PoolingKind::max || !fits_the_kernels(convolution))
        return false;
    const LayerShape& shape = pooling.shape;
    return is_max_pool_2x2(
        pooling_shape(*pool, shape, interleaved(shape.input), interleaved(shape.output)));
}

FirstConvPool::FirstConvPool(const LayerSetting& convolution, const LayerSetting& pooling,
                             Parameters& parameters)
    : FirstConvPool(kernel_shape(convolution), convolution.shape,
                    blocked(pooling.shape.output, vector_lanes()), parameters) {}

FirstConvPool::FirstConvPool(const FirstConvolutionShape& shape, const LayerShape& convolution,
                             const Layout& dst, Parameters& parameters)
    : Layer(planes(convolution.input), dst),
      kernel_(shape),
      channels_(static_cast<std::size_t>(shape.dst_channels)),
      tensors_(add_linear_tensors(
          parameters, convolution,
          std::make_unique<FirstKernelFormat>(shape, convolution.output.channels),
          std::make_unique<ChannelFormat>(feature_positions({1, 1, dst.channels, dst.channels, {}}),
                                          channels_))) {}

void FirstConvPool::bind(PassBuilder& pass) const {
    auto& parameters = pass.keep(std::make_unique<LinearParameters>(tensors_, channels_, pass));
    Buffer& scratch = pass.scratch(Buffer::Size::of_all(kernel_.scratch_floats()));
    Buffer& places =
        pass.scratch({.bytes = dst().sample_size() * sizeof(PooledPlace), .is_fixed = false});
    pass.forward({.what = "convolution and pooling",
                  .extent = Extent::shard,
                  .products = 1,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst(), &places, &scratch},
                  .run = [this, &scratch, &places, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards(), weights = parameters.weights(),
                          bias = parameters.bias()](const StepContext&, std::size_t i) {
                      kernel_.forward_pooled(src.of_shard(i), weights, bias, dst.of_shard(i),
                                             places.of_shard<PooledPlace>(i), shards[i].count,
                                             scratch.data());
                  }});
    if (!pass.is_training()) return;
    Buffer& scratch_back = pass.scratch(Buffer::Size::of_all(kernel_.scratch_floats()));
    std::vector<Buffer*> writes = pass.gradients().buffers();
    writes.push_back(&scratch_back);
    pass.backward({.what = "weights",
                   .extent = Extent::shard,
                   .products = 1,
                   .reads = {&pass.src(), &pass.diff_dst(), &places},
                   .writes = writes,
                   .run = [this, &scratch_back, &places, &parameters, &src = pass.src(),
                           &diff_dst = pass.diff_dst(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       kernel_.backward_weights_pooled(
                           src.of_shard(i), diff_dst.of_shard(i), places.of_shard<PooledPlace>(i),
                           parameters.diff_weights(i), parameters.diff_bias(i), shards[i].count,
                           scratch_back.data());
                   }});
}

}  // namespace lockstep::trainer
