#include "tests/support/layer_check.hpp"

#include <numeric>

#include "tests/support/gradient_check.hpp"
#include "tests/support/plain_network.hpp"
#include "tests/support/random_values.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

// Of float32 sums over some hundred products: the worst of all values by the root of their mean
// square. Winograd's transforms round on top of that; 8e-6 was the worst seen.
constexpr double kForwardTolerance = 2e-6;
constexpr double kWinogradTolerance = 1.2e-5;
// Groups merged, or with gaps: up to 300 products, 4.1e-6 the worst.
constexpr double kGroupedTolerance = 6e-6;
constexpr double kGradientTolerance = 2e-5;

double forward_tolerance(const LayerConfig& config) {
    const auto* convolution = std::get_if<Conv2dConfig>(&config.kind);
    if (convolution == nullptr) return kForwardTolerance;
    if (convolution->groups > 1 || convolution->dilation_rate != std::array{1, 1})
        return kGroupedTolerance;
    const bool may_be_winograd =
        convolution->strides == std::array{1, 1} && (convolution->kernel_size == std::array{3, 3} ||
                                                     convolution->kernel_size == std::array{2, 2});
    return may_be_winograd ? kWinogradTolerance : kForwardTolerance;
}

std::vector<Values> parameters_in_double(const Network& network) {
    std::vector<Values> parameters;
    for (const NamedTensor& tensor : network.parameters().weights())
        parameters.push_back(in_double(tensor.values));
    return parameters;
}

}  // namespace

void randomize_parameters(Network& network, std::uint64_t seed) {
    RandomValues random(seed);
    NamedTensors weights = network.parameters().weights();
    for (NamedTensor& tensor : weights) {
        const bool is_about_one = tensor.name == "gamma" || tensor.name == "moving_variance";
        tensor.values = random.floats(tensor.values.size(), is_about_one ? 0.5 : -0.5,
                                      is_about_one ? 1.5 : 0.5);
    }
    network.parameters().set_weights(weights);
}

void check_layer(const LayerProbeSetting& setting) {
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(setting, comm);
    randomize_parameters(probe.network(), 11);
    const LayerShape& shape = probe.shape();
    const auto samples = static_cast<std::size_t>(setting.batch);
    RandomValues random(12);
    const auto src = random.floats(samples * static_cast<std::size_t>(shape.input.size()));
    const auto diff_dst = random.floats(samples * static_cast<std::size_t>(shape.output.size()));

    std::vector<Values> parameters = parameters_in_double(probe.network());
    Values x = in_double(src);
    const Values probing = in_double(diff_dst);
    const auto plain = [&] {
        return plain_forward(setting.config, shape, parameters, x, setting.batch);
    };
    const auto probed = [&] {
        const Values y = plain();
        return std::inner_product(y.begin(), y.end(), probing.begin(), 0.0);
    };

    check_close("forward", probe.forward(src), plain(), forward_tolerance(setting.config));
    check_gradient("src", probe.backward(diff_dst), x, probed, kGradientTolerance);
    const NamedTensors gradients = probe.gradients();
    for (std::size_t i = 0; i < gradients.size(); ++i)  // trainable ones come first
        check_gradient(gradients[i].name, gradients[i].values, parameters[i], probed,
                       kGradientTolerance);
}

}  // namespace lockstep::tests
