#include "trainer/layers/first_conv_pool.hpp"

#include "trainer/kernels/first/first_kernel_format.hpp"
#include "trainer/kernels/vector_lanes.hpp"
#include "trainer/layers/pooling.hpp"

namespace lockstep::trainer {

namespace {

FirstConvolutionPool::Shape kernel_shape(const LayerSetting& convolution,
                                         const LayerSetting& pooling) {
    const Conv2dConfig& config = std::get<Conv2dConfig>(convolution.config.kind);
    const Shape& src = convolution.shape.input;
    const Shape& dst = pooling.shape.output;
    const Window rows =
        window_of(src.height, config.kernel_size[0], config.strides[0], config.padding);
    const Window columns =
        window_of(src.width, config.kernel_size[1], config.strides[1], config.padding);
    const int block = vector_lanes();
    return {.block = block,
            .src_channels = src.channels,
            .dst_channels = (config.filters + block - 1) / block * block,
            .src_height = src.height,
            .src_width = src.width,
            .dst_height = dst.height,
            .dst_width = dst.width,
            .kernel_height = config.kernel_size[0],
            .kernel_width = config.kernel_size[1],
            .pad_top = rows.pad_before,
            .pad_left = columns.pad_before};
}

bool is_first_convolution(const LayerSetting& setting) {
    const auto* config = std::get_if<Conv2dConfig>(&setting.config.kind);
    return config != nullptr && config->strides == std::array{1, 1} &&
           config->activation == Activation::relu && !setting.needs_diff_src;
}

}  // namespace

bool FirstConvPool::takes(const LayerSetting& convolution, const LayerSetting& pooling) {
    return is_first_convolution(convolution) && is_max_pool_2x2(pooling) &&
           FirstConvolutionPool::computes(kernel_shape(convolution, pooling));
}

FirstConvPool::FirstConvPool(const LayerSetting& convolution, const LayerSetting& pooling,
                             Parameters& parameters)
    : FirstConvPool(kernel_shape(convolution, pooling), convolution.shape,
                    blocked(pooling.shape.output, vector_lanes()), parameters) {}

FirstConvPool::FirstConvPool(const FirstConvolutionPool::Shape& shape,
                             const LayerShape& convolution, const Layout& dst,
                             Parameters& parameters)
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
                      kernel_.forward(src.of_shard(i), weights, bias, dst.of_shard(i),
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
                       kernel_.backward_weights(src.of_shard(i), diff_dst.of_shard(i),
                                                places.of_shard<PooledPlace>(i),
                                                parameters.diff_weights(i), parameters.diff_bias(i),
                                                shards[i].count, scratch_back.data());
                   }});
}

}  // namespace lockstep::trainer
