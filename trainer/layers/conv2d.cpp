#include "trainer/layers/conv2d.hpp"

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

std::unique_ptr<ConvolutionFormat> choose_format(const Conv2dConfig& config,
                                                 const LayerSetting& setting,
                                                 ComputeEngine& engine) {
    const LayerShape& shape = setting.shape;
    const Window rows =
        window_of(shape.input.height, config.kernel_size[0], config.strides[0], config.padding);
    const Window columns =
        window_of(shape.input.width, config.kernel_size[1], config.strides[1], config.padding);
    return std::make_unique<ConvolutionFormat>(
        engine, ConvolutionShape{.src = shape.input,
                                 .dst = shape.output,
                                 .kernel_size = config.kernel_size,
                                 .strides = config.strides,
                                 .pad_before = {rows.pad_before, columns.pad_before},
                                 .pad_after = {rows.pad_after, columns.pad_after},
                                 .has_relu = config.activation == Activation::relu,
                                 .needs_diff_src = setting.needs_diff_src});
}

class Conv2dPass : public LayerPass {
public:
    Conv2dPass(const ConvolutionFormat& format, const ConvolutionBuffers& buffers,
               const PassBuffers& pass, const PassContext& context, AlignedArray<float> no_bias)
        : no_bias_(std::move(no_bias)),
          convolution_(format, buffers, context.geometry.shards),
          dst_(pass.dst),
          diff_dst_(pass.diff_dst),
          wants_diff_src_(pass.diff_src != nullptr),
          relu_floats_(format.shape().has_relu && !context.diff_dst_is_masked
                           ? format.dst().sample_size() *
                                 static_cast<std::size_t>(context.geometry.samples)
                           : 0) {}

    void forward(const StepContext&) override { convolution_.forward(); }

    void backward() override {
        relu_backward(dst_, diff_dst_, relu_floats_);
        convolution_.backward_weights();
        if (wants_diff_src_) convolution_.backward_data();
    }

private:
    AlignedArray<float> no_bias_;  // a bias of zeros and a place for its gradient
    Convolution convolution_;
    const float* dst_;
    float* diff_dst_;
    bool wants_diff_src_;
    std::size_t relu_floats_;  // 0: no ReLU, or its gradient was applied by the layer behind
};

}  // namespace

Conv2d::Conv2d(const Conv2dConfig& config, const LayerSetting& setting, ComputeEngine& engine,
               Parameters& parameters)
    : Conv2d(choose_format(config, setting, engine), config, setting.shape, parameters) {}

Conv2d::Conv2d(std::unique_ptr<ConvolutionFormat> format, const Conv2dConfig& config,
               const LayerShape& shape, Parameters& parameters)
    : Layer(format->src(), format->dst()), format_(std::move(format)) {
    kernel_ = parameters.add(shape.name, shape.parameters[0], format_->kernel_format());
    if (config.use_bias)
        bias_ = parameters.add(shape.name, shape.parameters[1], format_->bias_format());
}

std::unique_ptr<LayerPass> Conv2d::bind(const PassBuffers& pass, const PassContext& context) const {
    ConvolutionBuffers buffers{.src = pass.src,
                               .weights = context.parameters.data(kernel_),
                               .bias = nullptr,
                               .dst = pass.dst,
                               .diff_dst = pass.diff_dst,
                               .diff_src = pass.diff_src,
                               .diff_weights = {},
                               .diff_bias = {}};
    if (context.is_training) buffers.diff_weights = shard_gradients(context, kernel_);
    AlignedArray<float> no_bias;
    if (bias_) {
        buffers.bias = context.parameters.data(*bias_);
        if (context.is_training) buffers.diff_bias = shard_gradients(context, *bias_);
    } else {
        const auto channels = static_cast<std::size_t>(format_->dst_channels());
        no_bias = AlignedArray<float>(2 * channels);
        buffers.bias = no_bias.data();
        buffers.diff_bias.assign(buffers.diff_weights.size(), no_bias.data() + channels);
    }
    return std::make_unique<Conv2dPass>(*format_, buffers, pass, context, std::move(no_bias));
}

}  // namespace lockstep::trainer
