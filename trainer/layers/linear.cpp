#include "trainer/layers/linear.hpp"

#include "trainer/kernels/elementwise.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

LinearTensors add_linear_tensors(Parameters& parameters, const LayerShape& shape,
                                 std::unique_ptr<ParameterFormat> kernel,
                                 std::unique_ptr<ParameterFormat> bias) {
    LinearTensors tensors;
    tensors.kernel = parameters.add(shape.name, shape.parameters[0], std::move(kernel));
    if (shape.parameters.size() > 1)
        tensors.bias = parameters.add(shape.name, shape.parameters[1], std::move(bias));
    return tensors;
}

BoundLinear bind_linear(const LinearTensors& tensors, std::size_t channels, const PassBuffers& pass,
                        const PassContext& context) {
    BoundLinear bound;
    LinearBuffers& buffers = bound.buffers;
    buffers.src = pass.src;
    buffers.dst = pass.dst;
    buffers.diff_dst = pass.diff_dst;
    buffers.diff_src = pass.diff_src;
    buffers.weights = context.parameters.data(tensors.kernel);
    if (context.is_training) buffers.diff_weights = shard_gradients(context, tensors.kernel);
    if (tensors.bias) {
        buffers.bias = context.parameters.data(*tensors.bias);
        if (context.is_training) buffers.diff_bias = shard_gradients(context, *tensors.bias);
        return bound;
    }
    bound.no_bias = AlignedArray<float>(2 * channels);
    buffers.bias = bound.no_bias.data();
    buffers.diff_bias.assign(buffers.diff_weights.size(), bound.no_bias.data() + channels);
    return bound;
}

LinearPass::LinearPass(LinearKernel kernel, AlignedArray<float> no_bias,
                       const Activation& activation, const PassBuffers& pass)
    : no_bias_(std::move(no_bias)),
      kernel_(std::move(kernel)),
      activation_(activation),
      pass_(pass) {}

void LinearPass::forward(const StepContext&) {
    kernel_.forward();
    if (activation_.has_softmax)
        softmax_forward(pass_.dst, pass_.dst, activation_.samples, activation_.values);
}

void LinearPass::backward() {
    const auto& [samples, values, has_relu, has_softmax] = activation_;
    if (has_relu)
        relu_backward(pass_.dst, pass_.diff_dst,
                      static_cast<std::size_t>(samples) * static_cast<std::size_t>(values));
    if (has_softmax) softmax_backward(pass_.dst, pass_.diff_dst, samples, values);
    kernel_.backward_weights();
    kernel_.backward_data();
}

}  // namespace lockstep::trainer
