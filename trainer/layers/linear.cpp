#include "trainer/layers/linear.hpp"

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

LinearParameters::LinearParameters(const LinearTensors& tensors, std::size_t channels,
                                   const PassBuilder& pass)
    : tensors_(tensors), parameters_(pass.context().parameters), gradients_(pass.gradients()) {
    if (tensors.bias) {
        bias_ = parameters_.data(*tensors.bias);
    } else {
        no_bias_ = AlignedArray<float>(2 * round_up_to_line(channels));
        bias_ = no_bias_.data();
    }
}

float* LinearParameters::diff_bias(std::size_t shard) const {
    return tensors_.bias ? gradients_.of(*tensors_.bias, shard) : bias_ + no_bias_.size() / 2;
}

float* LinearParameters::diff_bias_of(const SubtreeGradient& subtree) const {
    return tensors_.bias ? subtree.gradient + parameters_.offset(*tensors_.bias)
                         : bias_ + no_bias_.size() / 2;
}

}  // namespace lockstep::trainer
