#include "trainer/layers/conv2d.hpp"

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

}  // namespace

Conv2d::Conv2d(const Conv2dConfig& config, const LayerSetting& setting, ComputeEngine& engine,
               Parameters& parameters)
    : Conv2d(choose_format(config, setting, engine), setting.shape, parameters) {}

Conv2d::Conv2d(std::unique_ptr<ConvolutionFormat> format, const LayerShape& shape,
               Parameters& parameters)
    : Layer(format->src(), format->dst()),
      format_(std::move(format)),
      tensors_(add_linear_tensors(parameters, shape, format_->kernel_format(),
                                  format_->bias_format())) {}

std::unique_ptr<LayerPass> Conv2d::bind(const PassBuffers& pass, const PassContext& context) const {
    BoundLinear bound =
        bind_linear(tensors_, static_cast<std::size_t>(format_->dst_channels()), pass, context);
    return std::make_unique<LinearPass>(
        Convolution(*format_, bound.buffers, context.geometry.shards), std::move(bound.no_bias),
        LinearPass::Activation{.samples = context.geometry.samples,
                               .values = static_cast<int>(format_->dst().sample_size()),
                               .has_relu = makes_relu() && !context.diff_dst_is_masked},
        pass);
}

}  // namespace lockstep::trainer
