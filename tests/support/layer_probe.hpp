#pragma once

// One layer, bound to a batch of several shards on one rank, fed and read in Keras' layouts. With
// masks_src_relu a ReLU stands in front, whose gradient the layer applies.

#include <memory>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"

namespace lockstep::tests {

struct LayerProbeSetting {
    trainer::LayerConfig config;
    trainer::Shape input;
    int batch = 5;
    int shards = 3;
    std::uint64_t seed = 1;
    bool is_training = true;
    bool masks_src_relu = false;
};

// What one layer makes of an input. Throws trainer::ShapeError.
trainer::LayerShape shape_of(const trainer::LayerConfig& config, const trainer::Shape& input);

class LayerProbe {
public:
    // comm: of one rank; must outlive the probe.
    LayerProbe(const LayerProbeSetting& setting, const trainer::Communicator& comm);

    trainer::Network& network() { return network_; }
    const trainer::LayerShape& shape() const { return shape_; }
    int batch() const { return plan_->geometry().batch; }

    // src and the result: [batch, height, width, channels].
    std::vector<float> forward(std::span<const float> src, std::int64_t step = 0);
    // After forward(). diff_dst as forward()'s result; returns diff_src, and keeps the gradients.
    std::vector<float> backward(std::span<const float> diff_dst);
    // The step counts: after forward().
    void commit() { plan_->commit(); }
    // The gradients of the trainable tensors after backward(), summed over the shards.
    trainer::NamedTensors gradients() const;

private:
    trainer::LayerShape shape_;
    trainer::Network network_;
    trainer::StepClocks clocks_;
    trainer::BufferPool pool_;
    trainer::AlignedArray<float> gradient_;
    std::unique_ptr<trainer::StepPlan> plan_;
};

}  // namespace lockstep::tests
