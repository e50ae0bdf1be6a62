#include "trainer/layers/dense.hpp"

#include "trainer/kernels/dense_ranges.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

namespace {

// One product for all samples of the rank, and one a shard for its gradients of the weights.
struct BoundDense {
    LinearParameters parameters;
    std::optional<InnerProduct> whole{};
    std::vector<InnerProduct> shards{};
};

}  // namespace

Dense::Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
             ComputeEngine& engine, Parameters& parameters)
    : Layer(src, interleaved(setting.shape.output)),
      format_(engine, src, config.units, config.activation == Activation::relu, setting.batch),
      has_softmax_(config.activation == Activation::softmax && !setting.is_last),
      tensors_(add_linear_tensors(parameters, setting.shape, format_.kernel_format(),
                                  format_.bias_format())) {}

void Dense::bind(PassBuilder& pass) const {
    auto& bound = pass.keep(std::make_unique<BoundDense>(
        BoundDense{LinearParameters(tensors_, static_cast<std::size_t>(format_.units()), pass)}));
    const int samples = pass.geometry().samples, units = format_.units();
    pass.forward({.what = "dense",
                  .extent = Extent::rank,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [&bound, &dst = pass.dst(), samples, units, has_softmax = has_softmax_](
                             const StepContext&, std::size_t) {
                      bound.whole->forward();
                      if (has_softmax) softmax_forward(dst.data(), dst.data(), samples, units);
                  }});
    if (pass.is_training()) add_backward(pass, bound.shards, bound.whole);
    const bool is_training = pass.is_training();
    pass.on_placed([=, this, &bound, &src = pass.src(), &dst = pass.dst(),
                    diff_dst = is_training ? &pass.diff_dst() : nullptr, diff_src = pass.diff_src(),
                    shards = pass.shards()] {
        LinearBuffers whole;
        for (std::size_t i = 0; i < shards.size(); ++i) {
            LinearBuffers of_shard = bound.parameters.buffers_of_shard(i);
            whole = of_shard;
            of_shard.src = src.of_shard(i);
            if (!is_training) continue;
            of_shard.diff_dst = diff_dst->of_shard(i);
            bound.shards.emplace_back(format_, of_shard, DenseRanges{},
                                      std::vector<SampleRange>{{0, shards[i].count}});
        }
        whole.diff_weights.clear();
        whole.diff_bias.clear();
        whole.src = src.data();
        whole.dst = dst.data();
        if (is_training) whole.diff_dst = diff_dst->data();
        if (diff_src != nullptr) whole.diff_src = diff_src->data();
        bound.whole.emplace(format_, whole,
                            choose_dense_ranges(format_, shards, diff_src != nullptr),
                            std::vector<SampleRange>{});
    });
}

void Dense::add_backward(PassBuilder& pass, std::vector<InnerProduct>& shards,
                         std::optional<InnerProduct>& whole) const {
    Buffer &dst = pass.dst(), &diff_dst = pass.diff_dst();
    const bool masks = makes_relu() && !pass.is_diff_dst_masked();
    if (masks || has_softmax_)
        pass.backward({.what = "activation",
                       .extent = Extent::rank,
                       .reads = {&dst, &diff_dst},
                       .writes = {&diff_dst},
                       .run = [=, this, &dst, &diff_dst, samples = pass.geometry().samples](
                                  const StepContext&, std::size_t) {
                           const int units = format_.units();
                           if (masks)
                               relu_backward(dst.data(), diff_dst.data(),
                                             static_cast<std::size_t>(samples) *
                                                 static_cast<std::size_t>(units));
                           else
                               softmax_backward(dst.data(), diff_dst.data(), samples, units);
                       }});
    pass.backward(
        {.what = "weights",
         .extent = Extent::shard,
         .reads = {&pass.src(), &diff_dst},
         .writes = pass.gradients().buffers(),
         .run = [&shards](const StepContext&, std::size_t i) { shards[i].backward_weights(); }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "data",
                   .extent = Extent::rank,
                   .reads = {&diff_dst},
                   .writes = {pass.diff_src()},
                   .run = [&whole](const StepContext&, std::size_t) { whole->backward_data(); }});
}

}  // namespace lockstep::trainer
