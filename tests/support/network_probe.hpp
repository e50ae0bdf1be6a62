#pragma once

// A whole network on one rank: loss and gradient of one batch, in Keras' layouts.

#include <memory>
#include <span>
#include <vector>

#include "trainer/config/label.hpp"
#include "trainer/kernels/softmax.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"

namespace lockstep::tests {

struct NetworkProbeSetting {
    std::vector<trainer::LayerConfig> layers;
    trainer::Shape input;
    int classes = 0;
    int batch = 0;
    int shards = 1;
    bool wants_diff_input = false;
    // Shards of each group whose gradients the plan adds up; none: every shard is one.
    std::vector<int> subtrees{};
};

struct LossGradient {
    double loss = 0.0;               // mean over the batch
    trainer::NamedTensors gradient;  // of the trainable tensors
    // By the input, [batch, height, width, channels], of a network that wants it.
    std::vector<float> diff_input{};
};

class NetworkProbe {
public:
    // comm: of one rank; must outlive the probe.
    NetworkProbe(const NetworkProbeSetting& setting, const trainer::Communicator& comm);

    trainer::Network& network() { return network_; }
    trainer::StepPlan& plan() { return *plan_; }
    // input: [batch, height, width, channels]
    LossGradient run(std::span<const float> input, std::span<const trainer::Label> labels);
    // Fills all buffers with NaN: what a step reads, it must have written.
    void forget();
    // After run(), of each subtree, as Parameters::trainable().
    const std::vector<trainer::AlignedArray<float>>& gradients() const { return gradients_; }

private:
    std::vector<float> diff_input() const;

    trainer::Layout input_layout_;  // Keras'
    int batch_;
    trainer::Network network_;
    trainer::StepClocks clocks_;
    trainer::BufferPool pool_;
    std::vector<trainer::AlignedArray<float>> gradients_;  // [subtrees]
    std::unique_ptr<trainer::StepPlan> plan_;
};

}  // namespace lockstep::tests
