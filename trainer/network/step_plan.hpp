#pragma once

// A network bound to one size of batch on one rank: all buffers, all kernels with their arguments,
// in the order they run. Made once for the full batch, for the short last one and for evaluation;
// a pass then walks a flat array of calls, and nothing is allocated, looked up or laid out anew.

#include <memory>
#include <span>
#include <vector>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/network/network.hpp"

namespace lockstep::trainer {

// Buffers that plans of one network take turns to use. Build the largest plan first.
class BufferPool {
public:
    // The buffer of that number, at least `floats` long. Stays valid as long as the pool.
    float* buffer(std::size_t number, std::size_t floats);

private:
    std::vector<std::vector<AlignedArray<float>>> buffers_;
};

struct PlanSetting {
    BatchGeometry geometry;
    std::vector<int> filled_shards;  // by rank
    std::vector<float*> gradients;   // one a filled own shard; empty for evaluation
    std::uint64_t seed = 0;
    bool is_training = false;
};

class StepPlan {
public:
    // comm, clocks, network and pool must outlive the plan.
    StepPlan(Network& network, PlanSetting setting, const Communicator& comm, StepClocks& clocks,
             BufferPool& pool);

    const BatchGeometry& geometry() const { return setting_.geometry; }
    float* input() { return input_; }  // [own samples], in network.input()

    void forward(const StepContext& context);
    std::span<const float> logits() const { return {logits_, logit_floats_}; }
    std::span<float> diff_logits() { return {diff_logits_, logit_floats_}; }
    // From diff_logits() to the gradient buffers of the own shards.
    void backward();
    // What the step changes beside gradients; after backward(), of a step that counts.
    void commit();

private:
    PlanSetting setting_;
    std::vector<std::unique_ptr<LayerPass>> passes_;
    std::size_t first_backward_ = 0;  // passes in front of it compute no gradient
    float* input_ = nullptr;
    float* logits_ = nullptr;
    float* diff_logits_ = nullptr;
    std::size_t logit_floats_ = 0;
};

}  // namespace lockstep::trainer
