#pragma once

// One layer, bound to a batch of several shards on one rank, fed and read in Keras' layouts.

#include <memory>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/network/network.hpp"

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

class LayerProbe {
public:
    // comm: of one rank; must outlive the probe.
    LayerProbe(const LayerProbeSetting& setting, const trainer::Communicator& comm);

    trainer::Network& network() { return network_; }
    const trainer::LayerShape& shape() const { return shape_; }
    const trainer::Layer& layer() const { return *network_.layers().front(); }
    int batch() const { return geometry_.batch; }

    // src and the result: [batch, height, width, channels].
    std::vector<float> forward(std::span<const float> src, std::int64_t step = 0);
    // After forward(). diff_dst as forward()'s result; returns diff_src, and keeps the gradients.
    std::vector<float> backward(std::span<const float> diff_dst);
    // The step counts: after forward().
    void commit() { pass_->commit(); }
    // The gradients of the trainable tensors after backward(), summed over the shards.
    trainer::NamedTensors gradients() const;

private:
    trainer::LayerShape shape_;
    trainer::Network network_;
    trainer::BatchGeometry geometry_;
    std::vector<int> filled_shards_;
    trainer::StepClocks clocks_;
    std::vector<trainer::AlignedArray<float>> gradients_;  // [shards]
    std::vector<float*> gradient_pointers_;
    trainer::AlignedArray<float> src_, dst_, diff_src_, diff_dst_;
    std::unique_ptr<trainer::LayerPass> pass_;
};

}  // namespace lockstep::tests
