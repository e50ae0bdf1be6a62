#include "trainer/layers/dense.hpp"

#include <algorithm>

#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

Dense::Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
             Parameters& parameters)
    : Layer(src, interleaved(setting.shape.output)),
      format_(src, config.units, config.activation == Activation::relu),
      has_softmax_(config.activation == Activation::softmax && !setting.is_last),
      tensors_(add_linear_tensors(parameters, setting.shape, format_.kernel_format(),
                                  format_.bias_format())) {}

// All samples of the rank go in one call, which reads the weights once; a sample's bits do not
// depend on the others.
void Dense::bind(PassBuilder& pass) const {
    const auto& parameters = pass.keep(std::make_unique<LinearParameters>(
        tensors_, static_cast<std::size_t>(format_.units()), pass));
    add_forward(pass, parameters);
    if (!pass.is_training()) return;
    Buffer& diff = add_gathered_diff(pass);
    if (parameters.are_trained()) add_weights(pass, parameters, diff);
    if (pass.diff_src() != nullptr) add_data(pass, parameters, diff);
}

void Dense::add_forward(PassBuilder& pass, const LinearParameters& parameters) const {
    pass.forward({.what = "dense",
                  .extent = Extent::rank,
                  .products = 1,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [this, &parameters, &src = pass.src(), &dst = pass.dst(),
                          samples = pass.geometry().samples](const StepContext&, std::size_t) {
                      format_.kernel().forward(src.data(), parameters.weights(), parameters.bias(),
                                               format_.has_relu(), dst.data(), samples);
                      if (has_softmax_)
                          softmax_forward(dst.data(), dst.data(), samples, format_.units());
                  }});
}

// diff_dst as the kernels read it, the activation's gradient applied.
Buffer& Dense::add_gathered_diff(PassBuilder& pass) const {
    Buffer &dst = pass.dst(), &diff_dst = pass.diff_dst();
    const auto size = Buffer::Size::of_samples(format_.kernel().panels().diff_step());
    Buffer& diff = pass.factors() ? pass.keep(std::make_unique<Buffer>(size)) : pass.scratch(size);
    if (pass.factors())  // where all ranks read it
        diff.place(reinterpret_cast<std::byte*>(pass.factors()->diff), pass.shards(), false);
    const bool masks = makes_relu() && !pass.is_diff_dst_masked();
    std::vector<Buffer*> reads{&diff_dst}, writes{&diff};
    if (masks || has_softmax_) reads.push_back(&dst);
    if (has_softmax_) writes.push_back(&diff_dst);
    pass.backward({.what = "gradient of the activation",
                   .extent = Extent::rank,
                   .reads = reads,
                   .writes = writes,
                   .run = [this, masks, &dst, &diff_dst, &diff, samples = pass.geometry().samples](
                              const StepContext&, std::size_t) {
                       if (has_softmax_)
                           softmax_backward(dst.data(), diff_dst.data(), samples, format_.units());
                       format_.kernel().gather_diff(diff_dst.data(), masks ? dst.data() : nullptr,
                                                    diff.data(), samples);
                   }});
    return diff;
}

// The shards of a subtree are added up in registers; or, from the factors, those of the batch,
// later (form()).
void Dense::add_weights(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const {
    pass.backward(
        {.what = "weights",
         .extent = Extent::rank,
         .products = 1,
         .leaves_products = pass.factors().has_value(),
         .reads = {&pass.src(), &diff},
         .writes = {},
         .run = [this, &parameters, &diff, &src = pass.src(), &gradients = pass.gradients(),
                 factors = pass.factors(), samples = pass.geometry().samples,
                 shards = pass.shards()](const StepContext&, std::size_t) {
             const DenseKernel& kernel = format_.kernel();
             if (factors)
                 std::copy_n(src.data(), static_cast<std::size_t>(samples) * src_floats(),
                             factors->src);
             for (const SubtreeGradient& subtree : gradients.subtrees()) {
                 const auto own =
                     std::span(shards).subspan(static_cast<std::size_t>(subtree.shards.first),
                                               static_cast<std::size_t>(subtree.shards.count));
                 if (!factors)
                     kernel.weight_gradient_of_rows(0, kernel.panels().rows(),
                                                    {.src = src.data(), .diff = diff.data()}, own,
                                                    parameters.diff_weights_of(subtree));
                 kernel.bias_gradient(diff.data(), own, parameters.diff_bias_of(subtree));
             }
         }});
}

std::span<const float> Dense::form(std::size_t first, std::size_t count, const FactorPlace& batch,
                                   std::span<const SampleRange> shards,
                                   std::span<float> scratch) const {
    const DensePanels& panels = format_.kernel().panels();
    const int begin = panels.row_of(first), end = panels.row_of(first + count - 1) + 1;
    format_.kernel().weight_gradient_of_rows(
        begin, end - begin, {.src = batch.src, .diff = batch.diff}, shards, scratch.data());
    return scratch.subspan(first - panels.row_begin(begin), count);
}

void Dense::add_data(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const {
    Buffer& scratch = pass.scratch(Buffer::Size::of_all(format_.kernel().scratch_floats()));
    pass.backward({.what = "data",
                   .extent = Extent::rank,
                   .products = 1,
                   .reads = {&diff},
                   .writes = {pass.diff_src(), &scratch},
                   .run = [this, &parameters, &diff, &scratch, &diff_src = *pass.diff_src(),
                           samples = pass.geometry().samples](const StepContext&, std::size_t) {
                       format_.kernel().backward_data(diff.data(), parameters.weights(),
                                                      diff_src.data(), samples, scratch.data());
                   }});
}

}  // namespace lockstep::trainer
