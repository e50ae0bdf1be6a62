#include "tests/support/network_probe.hpp"

#include "trainer/determinism/shards.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

NetworkProbe::NetworkProbe(const NetworkProbeSetting& setting, const Communicator& comm)
    : input_layout_(interleaved(setting.input)),
      batch_(setting.batch),
      network_(setting.layers, setting.input, setting.classes, setting.batch) {
    PlanSetting plan;
    plan.geometry = batch_geometry(setting.batch, setting.shards, 1, 0);
    plan.filled_shards = filled_shards_by_rank(setting.batch, setting.shards, 1);
    plan.is_training = true;
    for (std::size_t i = 0; i < plan.geometry.shards.size(); ++i)
        gradients_.emplace_back(network_.parameters().trainable().size());
    for (int i = 0; i < static_cast<int>(gradients_.size()); ++i)
        plan.subtrees.push_back({{i, 1}, gradients_[static_cast<std::size_t>(i)].data()});
    plan_ = std::make_unique<StepPlan>(network_, std::move(plan), comm, clocks_, pool_);
}

LossGradient NetworkProbe::run(std::span<const float> input, std::span<const std::uint8_t> labels) {
    relayout(input_layout_, input.data(), network_.input(), plan_->input(), batch_);
    plan_->forward({});
    const LossSum sum = softmax_cross_entropy(plan_->logits(), labels, network_.classes(), batch_,
                                              plan_->diff_logits());
    plan_->backward();
    std::vector<float> gradient(network_.parameters().trainable().size(), 0.0F);
    for (const auto& shard : gradients_)
        for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += shard[i];
    return {sum.loss / batch_, network_.parameters().unpack_trainable(gradient)};
}

}  // namespace lockstep::tests
