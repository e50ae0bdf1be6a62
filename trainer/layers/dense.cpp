#include "trainer/layers/dense.hpp"

#include "trainer/kernels/dense_ranges.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/layers/activation.hpp"

namespace lockstep::trainer {

namespace {

class DensePass : public LayerPass {
public:
    DensePass(const InnerProductFormat& format, const InnerProductBuffers& buffers,
              const PassBuffers& pass, const PassContext& context, bool has_softmax,
              AlignedArray<float> no_bias)
        : no_bias_(std::move(no_bias)),
          product_(format, buffers,
                   choose_dense_ranges(format, context.geometry.shards, pass.diff_src != nullptr),
                   context.geometry.shards),
          dst_(pass.dst),
          diff_dst_(pass.diff_dst),
          wants_diff_src_(pass.diff_src != nullptr),
          has_relu_(format.has_relu() && !context.diff_dst_is_masked),
          has_softmax_(has_softmax),
          units_(format.units()),
          samples_(context.geometry.samples) {}

    void forward(const StepContext&) override {
        product_.forward();
        if (has_softmax_) softmax_forward(dst_, dst_, samples_, units_);
    }

    void backward() override {
        const std::size_t floats =
            static_cast<std::size_t>(samples_) * static_cast<std::size_t>(units_);
        if (has_relu_) relu_backward(dst_, diff_dst_, floats);
        if (has_softmax_) softmax_backward(dst_, diff_dst_, samples_, units_);
        product_.backward_weights();
        if (wants_diff_src_) product_.backward_data();
    }

private:
    AlignedArray<float> no_bias_;
    InnerProduct product_;
    float* dst_;
    float* diff_dst_;
    bool wants_diff_src_;
    bool has_relu_;
    bool has_softmax_;
    int units_;
    int samples_;
};

}  // namespace

Dense::Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
             ComputeEngine& engine, Parameters& parameters)
    : Layer(src, interleaved(setting.shape.output)),
      format_(engine, src, config.units, config.activation == Activation::relu, setting.batch),
      has_softmax_(config.activation == Activation::softmax && !setting.is_last) {
    kernel_ =
        parameters.add(setting.shape.name, setting.shape.parameters[0], format_.kernel_format());
    if (config.use_bias)
        bias_ =
            parameters.add(setting.shape.name, setting.shape.parameters[1], format_.bias_format());
}

std::unique_ptr<LayerPass> Dense::bind(const PassBuffers& pass, const PassContext& context) const {
    InnerProductBuffers buffers{.src = pass.src,
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
        const auto units = static_cast<std::size_t>(format_.units());
        no_bias = AlignedArray<float>(2 * units);
        buffers.bias = no_bias.data();
        buffers.diff_bias.assign(buffers.diff_weights.size(), no_bias.data() + units);
    }
    return std::make_unique<DensePass>(format_, buffers, pass, context, has_softmax_,
                                       std::move(no_bias));
}

}  // namespace lockstep::trainer
