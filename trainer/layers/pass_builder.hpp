#pragma once

// How a layer says what its passes consist of (docs/plan.md): it is given the buffers of its values
// and adds pieces of work.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/stopwatch.hpp"
#include "trainer/layers/factored_weights.hpp"
#include "trainer/layers/folded_norm.hpp"
#include "trainer/layers/work.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

// What all layers of a plan have in common.
struct PassContext {
    const BatchGeometry& geometry;
    std::span<const int> filled_shards;  // by rank
    const Communicator& comm;
    StepClocks& clocks;
    Parameters& parameters;
    std::uint64_t seed = 0;
    bool is_training = false;
};

// The gradient of an aligned group of own shards.
struct SubtreeGradient {
    SampleRange shards;         // own filled shards, by number
    float* gradient = nullptr;  // as Parameters::trainable()
};

// Where the shards' gradients of a layer's tensors are to be written. Whoever made it adds them up.
class GradientPlaces {
public:
    virtual ~GradientPlaces() = default;
    // Valid once the plan's buffers are placed.
    virtual float* of(std::size_t tensor, std::size_t shard) const = 0;
    // What the works that write gradients write.
    virtual std::vector<Buffer*> buffers() const = 0;
    // For work that adds up the shards of each subtree itself, in the order of the tree.
    virtual std::span<const SubtreeGradient> subtrees() const = 0;
};

class PassBuilder {
public:
    struct Values {
        std::vector<Buffer*> src;
        Buffer* dst = nullptr;
        Buffer* diff_dst = nullptr;       // training only
        std::vector<Buffer*> diff_src;    // null where no gradient is wanted
        bool masks_src_relu = false;      // src was made by a ReLU: apply its gradient to diff_src
        bool is_diff_dst_masked = false;  // the layer behind has applied this layer's own ReLU
        // The layer writes its factors there, and no gradient of its factored weights.
        std::optional<FactorPlace> factors{};
        // Evaluation only: the layer, which can_fold_norm(), computes this along.
        std::optional<FoldedNorm> folded{};
    };
    PassBuilder(const PassContext& context, Values values, GradientPlaces& gradients,
                std::deque<Buffer>& buffers)
        : context_(context), values_(std::move(values)), gradients_(gradients), buffers_(buffers) {}

    const PassContext& context() const { return context_; }
    const BatchGeometry& geometry() const { return context_.geometry; }
    const std::vector<SampleRange>& shards() const { return context_.geometry.shards; }
    bool is_training() const { return context_.is_training; }

    Buffer& src(std::size_t i = 0) const { return *values_.src[i]; }
    Buffer& dst() const { return *values_.dst; }
    Buffer& diff_dst() const { return *values_.diff_dst; }
    // Null: not wanted.
    Buffer* diff_src(std::size_t i = 0) const {
        return values_.diff_src.empty() ? nullptr : values_.diff_src[i];
    }
    bool masks_src_relu() const { return values_.masks_src_relu; }
    bool is_diff_dst_masked() const { return values_.is_diff_dst_masked; }
    const std::optional<FactorPlace>& factors() const { return values_.factors; }
    const std::optional<FoldedNorm>& folded() const { return values_.folded; }
    const GradientPlaces& gradients() const { return gradients_; }

    // Memory between pieces of this layer.
    Buffer& scratch(const Buffer::Size& size) { return buffers_.emplace_back(size); }
    // An object of the layer that lives as long as the plan.
    template <class State>
    State& keep(std::unique_ptr<State> state) {
        State& kept = *state;
        kept_.push_back(std::move(state));
        return kept;
    }

    // In the order in which they run. One piece of the backward pass writes all gradients of
    // parameters: it reads no buffer for them, and names gradients().buffers() among those it
    // writes.
    void forward(Work work) { forward_.push_back(std::move(work)); }
    void backward(Work work) { backward_.push_back(std::move(work)); }
    // What a step changes beside gradients (moving statistics), once it is known to count: a step
    // that is stopped, or whose loss is no number, leaves everything as it was.
    void commit(std::function<void()> change) { commits_.push_back(std::move(change)); }
    // Called once, when all buffers have their places.
    void on_placed(std::function<void()> attach) { attaches_.push_back(std::move(attach)); }

    struct Pass {
        std::vector<Work> forward, backward;
        std::vector<std::function<void()>> commits, attaches;
        std::vector<std::shared_ptr<void>> kept;
    };
    Pass take() {
        return {std::move(forward_), std::move(backward_), std::move(commits_),
                std::move(attaches_), std::move(kept_)};
    }

private:
    const PassContext& context_;
    Values values_;
    GradientPlaces& gradients_;
    std::deque<Buffer>& buffers_;
    std::vector<Work> forward_, backward_;
    std::vector<std::function<void()>> commits_, attaches_;
    std::vector<std::shared_ptr<void>> kept_;
};

// Samples of one shard, as kernels count them.
inline int samples_of(const PassBuilder& pass, std::size_t shard) {
    return pass.shards()[shard].count;
}

}  // namespace lockstep::trainer
