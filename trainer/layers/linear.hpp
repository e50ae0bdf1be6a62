#pragma once

// What conv2d and dense share: a kernel and a bias among the parameters, the calls bound to them,
// and the activation that is computed along.

#include <memory>
#include <optional>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/linear_kernel.hpp"
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

// Where the kernel's calls read and write. A layer without a bias has one of zeros.
struct BoundLinear {
    LinearBuffers buffers;
    AlignedArray<float> no_bias;  // zeros, and a place for their gradient
};
//   channels   of dst, as padded
BoundLinear bind_linear(const LinearTensors& tensors, std::size_t channels, const PassBuffers& pass,
                        const PassContext& context);

class LinearPass : public LayerPass {
public:
    // What is left to do on dst and diff_dst, as [samples, values].
    struct Activation {
        int samples = 0;
        int values = 0;
        bool has_relu = false;     // its gradient; forward it was computed along
        bool has_softmax = false;  // both ways
    };
    //   no_bias   kept for the kernel, which reads it
    LinearPass(LinearKernel kernel, AlignedArray<float> no_bias, const Activation& activation,
               const PassBuffers& pass);

    void forward(const StepContext& context) override;
    void backward() override;

private:
    AlignedArray<float> no_bias_;
    LinearKernel kernel_;
    Activation activation_;
    PassBuffers pass_;
};

}  // namespace lockstep::trainer
