#include "tests/support/network_probe.hpp"

#include <algorithm>
#include <cstddef>

#include "trainer/determinism/shards.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

NetworkProbe::NetworkProbe(const NetworkProbeSetting& setting, const Communicator& comm)
    : input_layout_(interleaved(setting.input)),
      batch_(setting.batch),
      network_(setting.layers, setting.input, setting.classes, setting.wants_diff_input) {
    PlanSetting plan;
    plan.geometry = batch_geometry(setting.batch, setting.shards, 1, 0);
    plan.filled_shards = filled_shards_by_rank(setting.batch, setting.shards, 1);
    plan.is_training = true;
    const std::vector<int> subtrees = setting.subtrees.empty()
                                          ? std::vector<int>(plan.geometry.shards.size(), 1)
                                          : setting.subtrees;
    for (int first = 0; const int count : subtrees) {
        auto& gradient = gradients_.emplace_back(network_.parameters().trainable().size());
        plan.subtrees.push_back({{first, count}, gradient.data()});
        first += count;
    }
    plan_ = std::make_unique<StepPlan>(network_, std::move(plan), comm, clocks_, pool_);
}

LossGradient NetworkProbe::run(std::span<const float> input, std::span<const Label> labels) {
    relayout(input_layout_, input.data(), network_.input(), plan_->input(), batch_);
    plan_->forward({});
    const LossSum sum = softmax_cross_entropy(plan_->logits(), labels, network_.classes(), batch_,
                                              plan_->diff_logits());
    plan_->backward();
    std::vector<float> gradient(network_.parameters().trainable().size(), 0.0F);
    for (const auto& shard : gradients_)
        for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += shard[i];
    return {sum.loss / batch_, network_.parameters().unpack_trainable(gradient), diff_input()};
}

void NetworkProbe::forget() {
    std::fill_n(pool_.reserve(1), plan_->arena_bytes(), std::byte{0xFF});
}

std::vector<float> NetworkProbe::diff_input() const {
    if (plan_->diff_input() == nullptr) return {};
    std::vector<float> diff(input_layout_.sample_size() * static_cast<std::size_t>(batch_));
    relayout(network_.input(), plan_->diff_input(), input_layout_, diff.data(), batch_);
    return diff;
}

}  // namespace lockstep::tests
