#include "trainer/layers/dense.hpp"

#include "trainer/kernels/dense_ranges.hpp"

namespace lockstep::trainer {

Dense::Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
             ComputeEngine& engine, Parameters& parameters)
    : Layer(src, interleaved(setting.shape.output)),
      format_(engine, src, config.units, config.activation == Activation::relu, setting.batch),
      has_softmax_(config.activation == Activation::softmax && !setting.is_last),
      tensors_(add_linear_tensors(parameters, setting.shape, format_.kernel_format(),
                                  format_.bias_format())) {}

std::unique_ptr<LayerPass> Dense::bind(const PassBuffers& pass, const PassContext& context) const {
    const std::vector<SampleRange>& shards = context.geometry.shards;
    BoundLinear bound =
        bind_linear(tensors_, static_cast<std::size_t>(format_.units()), pass, context);
    return std::make_unique<LinearPass>(
        InnerProduct(format_, bound.buffers,
                     choose_dense_ranges(format_, shards, pass.diff_src != nullptr), shards),
        std::move(bound.no_bias),
        LinearPass::Activation{.samples = context.geometry.samples,
                               .values = format_.units(),
                               .has_relu = makes_relu() && !context.diff_dst_is_masked,
                               .has_softmax = has_softmax_},
        pass);
}

}  // namespace lockstep::trainer
