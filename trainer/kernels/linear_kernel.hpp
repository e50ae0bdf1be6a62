#pragma once

// What a convolution is to the layer that runs it: one product of src and weights, plus a bias, and
// its three gradients, bound to buffers. Everything is made beforehand.

#include <cstddef>
#include <vector>

namespace lockstep::trainer {

// What all parts of a batch have in common.
struct LinearWeights {
    const float* weights = nullptr;  // as kernel_format() packs them
    const float* bias = nullptr;
    // Transformed filters, where the format has some: made beforehand by whoever runs the kernel,
    // or, where these are null, by prepare_forward() and prepare_backward().
    const float* filters = nullptr;
    const float* filters_for_data = nullptr;
    // Forward ends in a ReLU even where the format has none: in evaluation, that of a layer behind.
    bool has_relu = false;
};

// One part of a batch, a shard: where its samples stand, and the gradient that is its own.
struct LinearPart {
    int samples = 0;
    bool is_direct = false;  // by oneDNN, though the format has kernels that more samples repay
    const float* src = nullptr;
    float* dst = nullptr;
    // training only
    const float* diff_dst = nullptr;  // with ReLU's gradient already applied,
    const float* relu_dst = nullptr;  // or, if the format masks_relu(), dst for its mask
    float* diff_src = nullptr;        // null: not wanted
    float* diff_weights = nullptr;    // written; null: not wanted
    float* diff_bias = nullptr;
};

// The same for parts that lie one behind another.
struct LinearBuffers {
    const float* src = nullptr;
    const float* weights = nullptr;
    const float* bias = nullptr;
    float* dst = nullptr;
    const float* diff_dst = nullptr;
    float* diff_src = nullptr;
    std::vector<float*> diff_weights;  // one a part, or none
    std::vector<float*> diff_bias;
};

// Whoever computes it: oneDNN (kernels/linear_calls.hpp) or kernels of our own (kernels/winograd/).
class LinearCalls {
public:
    virtual ~LinearCalls() = default;
    // What is made of the weights for all parts of a pass, before the first of them.
    virtual void prepare_forward() {}
    virtual void prepare_backward() {}
    virtual void forward(std::size_t part) = 0;
    virtual void backward_data(std::size_t part) = 0;
    virtual void backward_weights(std::size_t part) = 0;
    // Both: the same bits, in less time where they share work.
    virtual void backward(std::size_t part) {
        backward_weights(part);
        backward_data(part);
    }
};

}  // namespace lockstep::trainer
