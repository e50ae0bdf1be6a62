#pragma once

// What a convolution is to the layer that runs it: one product of src and
// weights, plus a bias, and its three gradients, bound to buffers. Everything is made beforehand.

#include <memory>
#include <vector>

namespace lockstep::trainer {

struct LinearBuffers {
    const float* src = nullptr;
    const float* weights = nullptr;  // as kernel_format() packs them
    const float* bias = nullptr;
    float* dst = nullptr;
    // Transformed filters, where the format has some: made beforehand by whoever runs the kernel,
    // or, where these are null, by the kernel in each call.
    const float* filters = nullptr;
    const float* filters_for_data = nullptr;
    // training only
    const float* diff_dst = nullptr;   // with ReLU's gradient already applied,
    const float* relu_dst = nullptr;   // or, if the format masks_relu(), dst for its mask
    float* diff_src = nullptr;         // null: not wanted (first layer)
    std::vector<float*> diff_weights;  // one a shard, written
    std::vector<float*> diff_bias;
};

// Whoever computes it: oneDNN (kernels/linear_calls.hpp) or kernels of our own (kernels/winograd/).
class LinearCalls {
public:
    virtual ~LinearCalls() = default;
    virtual void forward() = 0;
    virtual void backward_data() = 0;
    virtual void backward_weights() = 0;
    // Both, in the order that is best.
    virtual void backward() {
        backward_weights();
        backward_data();
    }
};

class LinearKernel {
public:
    ~LinearKernel();
    LinearKernel(LinearKernel&&) noexcept;
    LinearKernel& operator=(LinearKernel&&) = delete;
    LinearKernel(const LinearKernel&) = delete;
    LinearKernel& operator=(const LinearKernel&) = delete;

    void forward();
    void backward_data();
    void backward_weights();
    void backward();  // both: the same bits, in less time where they share work

protected:
    explicit LinearKernel(std::unique_ptr<LinearCalls> calls);

private:
    std::unique_ptr<LinearCalls> calls_;
};

}  // namespace lockstep::trainer
