#pragma once

// A network bound to one size of batch on one rank: all buffers, all kernels with their arguments,
// in the order they run (docs/plan.md). Made once for the full batch, for the short last one and
// for evaluation; a pass then walks a flat array of calls, and nothing is allocated, looked up or
// laid out anew.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/network/gradient_sums.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/pass_walker.hpp"
#include "trainer/network/placement.hpp"
#include "trainer/network/schedule.hpp"

namespace lockstep::trainer {

struct PlanSetting {
    BatchGeometry geometry;
    std::vector<int> filled_shards;           // by rank
    std::vector<SubtreeGradient> subtrees{};  // of the filled own shards; empty for evaluation
    std::vector<std::optional<FactorPlace>> factors{};  // by node of the graph; or empty
    std::uint64_t seed = 0;
    bool is_training = false;
};

class StepPlan {
public:
    // comm, clocks, network and pool must outlive the plan.
    StepPlan(Network& network, PlanSetting setting, const Communicator& comm, StepClocks& clocks,
             BufferPool& pool);
    StepPlan(const StepPlan&) = delete;
    StepPlan& operator=(const StepPlan&) = delete;

    const BatchGeometry& geometry() const { return setting_.geometry; }
    float* input() { return input_.data(); }  // [own samples], in network.input()

    void forward(const StepContext& context);
    std::span<const float> logits() const { return {logits_, logit_floats_}; }
    std::span<float> diff_logits() { return {diff_logits_, logit_floats_}; }
    // From diff_logits() to the gradients of the own subtrees.
    void backward();
    // Those of the own subtrees, each as Parameters::trainable().
    std::vector<std::span<float>> gradients() const;
    // What the step changes beside gradients; after backward(), of a step that counts.
    void commit();
    // The gradient by the input, after backward(), of a network that wants it.
    const float* diff_input() const {
        return diff_input_ == nullptr ? nullptr : diff_input_->data();
    }

    // A value of the network's graph, as a pass leaves it: other buffers may lie in its place
    // later.
    const Buffer& value(std::size_t number) const { return *values_[number]; }

    std::size_t arena_bytes() const { return arena_bytes_; }

    // All calls of the passes, in their order.
    std::span<const PlannedStep> forward_calls() const { return forward_; }
    std::span<const PlannedStep> backward_calls() const { return backward_; }
    // From now on passes are walked by `walker`; null: by the plan itself.
    void walk_by(PassWalker* walker) { walker_ = walker; }

private:
    void walk(std::span<const PlannedStep> calls) const;
    Buffer* new_buffer(const Buffer::Size& size) { return &buffers_.emplace_back(size); }
    void make_values(const Network& network);
    void bind_all(const Network& network, const PassContext& context);
    PassBuilder::Values values_of(const Graph& graph, std::size_t node,
                                  std::vector<std::size_t>& next_gradient);
    std::vector<Work> bind_node(std::size_t number, PassBuilder::Values values,
                                const PassContext& context, const Node& node);
    void add_sums_of_gradients(std::size_t value, std::size_t node);
    void add_backward(std::size_t node, std::vector<Work> works, const GradientSums& sums);
    void place(const Network& network, BufferPool& pool);
    std::string purpose_of_arena(const Network& network) const;

    PlanSetting setting_;
    AlignedArray<float> input_;
    std::deque<Buffer> buffers_;
    Buffer input_buffer_;
    Buffer no_gradient_{Buffer::Size{}};  // diff_dst of nodes whose backward pass is left out
    std::deque<GradientSums> sums_;       // by node
    std::vector<std::shared_ptr<void>> kept_;
    std::vector<std::function<void()>> commits_, attaches_;
    std::vector<PlannedWork> forward_works_, backward_works_;
    std::vector<PlannedStep> forward_, backward_;
    StepContext context_;
    PassWalker* walker_ = nullptr;
    // By value: it, and for each of its consumers the gradient that this one computes.
    std::vector<Buffer*> values_;
    std::vector<std::vector<Buffer*>> diffs_;
    Buffer* diff_output_ = nullptr;
    Buffer* diff_input_ = nullptr;
    const float* logits_ = nullptr;
    float* diff_logits_ = nullptr;
    std::size_t logit_floats_ = 0;
    std::size_t gradient_floats_ = 0;
    std::size_t arena_bytes_ = 0;
};

}  // namespace lockstep::trainer
