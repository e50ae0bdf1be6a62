#pragma once

// What conv2d and dense share: a kernel and a bias among the parameters, and what they hand to the
// kernels that compute them.

#include <memory>
#include <optional>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

// The tensors of one layer in the network's parameters.
struct LinearTensors {
    std::size_t kernel = 0;
    std::optional<std::size_t> bias;
};
LinearTensors add_linear_tensors(Parameters& parameters, const LayerShape& shape,
                                 std::unique_ptr<ParameterFormat> kernel,
                                 std::unique_ptr<ParameterFormat> bias);

// The parameters and places of gradients of a layer in a plan. A layer without a bias has one of
// zeros, and a place for its gradient.
class LinearParameters {
public:
    //   channels   of dst, as padded
    LinearParameters(const LinearTensors& tensors, std::size_t channels, const PassBuilder& pass);

    const float* weights() const { return parameters_.data(tensors_.kernel); }
    const float* bias() const { return bias_; }
    // Else the layer is frozen, and no gradient of the two has a place.
    bool are_trained() const { return parameters_.is_trained(tensors_.kernel); }
    // The gradients' places of one shard, in training, once all buffers are placed.
    float* diff_weights(std::size_t shard) const { return gradients_.of(tensors_.kernel, shard); }
    float* diff_bias(std::size_t shard) const;
    // Those of a subtree, for layers that add up its shards themselves.
    float* diff_weights_of(const SubtreeGradient& subtree) const {
        return subtree.gradient + parameters_.offset(tensors_.kernel);
    }
    float* diff_bias_of(const SubtreeGradient& subtree) const;

private:
    const LinearTensors& tensors_;
    Parameters& parameters_;
    const GradientPlaces& gradients_;
    AlignedArray<float> no_bias_;  // zeros, then the place for their gradient
    float* bias_;
};

}  // namespace lockstep::trainer
