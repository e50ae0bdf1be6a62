#include "tests/support/layer_probe.hpp"

#include <algorithm>
#include <stdexcept>

#include "trainer/determinism/shards.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

// A network has to end in a vector, so a flatten follows; it moves nothing.
std::vector<LayerConfig> with_flatten(const LayerConfig& config) {
    return {config, {"flatten", FlattenConfig{}}};
}

std::vector<LayerConfig> layers_of(const LayerProbeSetting& setting) {
    std::vector<LayerConfig> layers = with_flatten(setting.config);
    if (setting.masks_src_relu)
        layers.insert(layers.begin(), {"relu_in_front", ActivationConfig{Activation::relu}});
    return layers;
}

}  // namespace

LayerShape shape_of(const LayerConfig& config, const Shape& input) {
    try {
        infer_shapes(with_flatten(config), input,
                     -1);  // never fits: the shapes come with the error
    } catch (const ShapeError& error) {
        if (error.so_far().layers.size() == 2) return error.so_far().layers.front();
        throw;
    }
    throw std::logic_error("a network of -1 classes");
}

LayerProbe::LayerProbe(const LayerProbeSetting& setting, const Communicator& comm)
    : shape_(shape_of(setting.config, setting.input)),
      network_(layers_of(setting), setting.input, static_cast<int>(shape_.output.size()),
               setting.is_training) {
    PlanSetting plan;
    plan.geometry = batch_geometry(setting.batch, setting.shards, 1, 0);
    plan.filled_shards = filled_shards_by_rank(setting.batch, setting.shards, 1);
    plan.seed = setting.seed;
    plan.is_training = setting.is_training;
    if (setting.is_training) {
        gradient_ = AlignedArray<float>(network_.parameters().trainable().size());
        plan.subtrees = {{{0, static_cast<int>(plan.geometry.shards.size())}, gradient_.data()}};
    }
    plan_ = std::make_unique<StepPlan>(network_, std::move(plan), comm, clocks_, pool_);
}

std::vector<float> LayerProbe::forward(std::span<const float> src, std::int64_t step) {
    relayout(interleaved(shape_.input), src.data(), network_.input(), plan_->input(), batch());
    plan_->forward({step});
    return {plan_->logits().begin(), plan_->logits().end()};
}

std::vector<float> LayerProbe::backward(std::span<const float> diff_dst) {
    std::ranges::copy(diff_dst, plan_->diff_logits().begin());
    plan_->backward();
    std::vector<float> diff_src(static_cast<std::size_t>(shape_.input.size() * batch()));
    relayout(network_.input(), plan_->diff_input(), interleaved(shape_.input), diff_src.data(),
             batch());
    return diff_src;
}

NamedTensors LayerProbe::gradients() const {
    return network_.parameters().unpack_trainable(gradient_.span());
}

}  // namespace lockstep::tests
