// The parameters of all kinds of convolutions: their layouts, padding, regularizers and fans.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/convolution_layers.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/network/network.hpp"
#include "trainer/optimizers/weight_ranges.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr Shape kTiny{8, 8, 3, false};

NamedTensors randomized(NamedTensors weights, std::uint64_t seed, double most = 1.0) {
    RandomValues random(seed);
    for (NamedTensor& tensor : weights)
        tensor.values = random.floats(tensor.values.size(), -most, most);
    return weights;
}

// Where the arena holds no weight.
std::vector<bool> padding_of(const Parameters& parameters) {
    const std::vector<float> zeros(parameters.trainable().size(), 0.0F);
    NamedTensors marked = parameters.unpack_trainable(zeros);
    for (NamedTensor& tensor : marked) std::ranges::fill(tensor.values, 1.0F);
    std::vector<float> arena(zeros.size(), 0.0F);
    parameters.pack_trainable(marked, arena);
    std::vector<bool> padding;
    for (const float value : arena) padding.push_back(value == 0.0F);
    return padding;
}

bool is_zero_in(const std::vector<bool>& places, std::span<const float> arena) {
    for (std::size_t i = 0; i < arena.size(); ++i)
        if (places[i] && arena[i] != 0.0F) return false;
    return true;
}

}  // namespace

TEST_CASE("convolutions' weights come out as they went in, in any groups",
          "[trainer][parameters]") {
    for (const auto& [channels, filters, groups] : {std::array{6, 9, 3},
                                                    {32, 64, 2},
                                                    {16, 32, 4},
                                                    {20, 20, 20},
                                                    {16, 48, 16},
                                                    {64, 64, 8},
                                                    {5, 7, 1}}) {
        CAPTURE(channels, filters, groups);
        const std::vector<LayerConfig> layers{
            {"conv2d", Conv2dConfig{.filters = filters, .kernel_size = {3, 2}, .groups = groups}},
            {"pool", GlobalPoolingConfig{}},
        };
        Network network(layers, {4, 4, channels, false}, filters);
        const NamedTensors weights = randomized(network.parameters().weights(), 1);
        network.parameters().set_weights(weights);
        CHECK(network.parameters().weights() == weights);
    }
    Network network(convolution_layers(4), kTiny, 4);
    const NamedTensors weights = randomized(network.parameters().weights(), 2);
    network.parameters().set_weights(weights);
    CHECK(network.parameters().weights() == weights);
}

TEST_CASE("between channels of different groups weights are zero and stay so",
          "[trainer][parameters]") {
    const Communicator self(MPI_COMM_SELF);
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.learning_rate = 0.1, .rule = SgdConfig{.momentum = 0.9}},
          OptimizerConfig{.learning_rate = 0.01, .rule = AdamConfig{}, .weight_decay = 0.1}}) {
        RunConfig config = tiny_run(convolution_layers(4));
        config.train.optimizer = optimizer;
        const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
        Network network(config.layers, data.shape, 4);
        network.parameters().set_weights(randomized(network.parameters().weights(), 3, 0.3));
        const std::vector<bool> padding = padding_of(network.parameters());
        // In the merged kernel alone seven of eight weights, those of other groups.
        CHECK(std::ranges::count(padding, true) > 9 * 32 * 24 * 7 / 8);
        BufferPool pool;
        TrainingStep step(config, data, network, self, pool);
        std::vector<std::uint32_t> samples(45);
        std::iota(samples.begin(), samples.end(), 0U);
        for (int i = 0; i < 3; ++i) {
            const StepResult result = step.run(std::span(samples).first(16), 1, i, {});
            CHECK(std::isfinite(result.loss_sum));
        }
        CHECK(is_zero_in(padding, network.parameters().trainable()));
        for (const auto& [name, values] : step.optimizer().slots())
            CHECK(is_zero_in(padding, values));
    }
}

TEST_CASE("regularizers know the tensors of all kinds of convolutions", "[trainer][optimizer]") {
    std::vector<LayerConfig> layers = convolution_layers(4);
    std::get<DepthwiseConv2dConfig>(layers[0].kind).depthwise_l2 = 4e-3;
    std::get<Conv2dConfig>(layers[7].kind).kernel_l2 = 8e-3;
    Network network(layers, kTiny, 4);
    const auto ranges = weight_ranges({}, layers, network.parameters(), 1);
    std::map<std::string, double> found;
    for (const auto& tensor : network.parameters().trainable_tensors())
        for (const WeightRange& range : ranges)
            if (range.first <= tensor.first && tensor.first < range.first + range.count)
                found[tensor.layer + "/" + tensor.name] = range.l2;
    CHECK(found == std::map<std::string, double>{{"pixels/kernel", 4e-3},
                                                 {"merged/kernel", 8e-3},
                                                 {"separable/depthwise_kernel", 1e-3},
                                                 {"separable/pointwise_kernel", 2e-3}});
}

// Keras' compute_fans() takes the last two extents of any kernel for its channels.
TEST_CASE("kernels of all kinds of convolutions take Keras' fans", "[trainer][initializer]") {
    const std::vector<LayerConfig> layers{
        {"grouped", Conv2dConfig{.filters = 60, .kernel_size = {3, 3}, .groups = 4}},
        {"depthwise", DepthwiseConv2dConfig{.kernel_size = {5, 5}, .depth_multiplier = 2}},
        {"separable", SeparableConv2dConfig{.filters = 30, .kernel_size = {3, 3}}},
        {"pool", GlobalPoolingConfig{}}};
    const std::map<std::string, double> fans{{"grouped/kernel", 9.0 * (20 + 60)},
                                             {"depthwise/kernel", 25.0 * (60 + 2)},
                                             {"separable/depthwise_kernel", 9.0 * (120 + 1)},
                                             {"separable/pointwise_kernel", 120.0 + 30}};
    std::size_t kernels = 0;
    const Architecture architecture = infer_shapes(layers, {16, 16, 80, false}, 30);
    for (const LayerShape& layer : architecture.layers)
        for (const ParameterShape& parameter : layer.parameters) {
            const auto expected = fans.find(layer.name + "/" + parameter.name);
            if (expected == fans.end()) continue;
            CAPTURE(expected->first);
            ++kernels;
            double largest = 0.0;
            for (const NamedTensor& tensor : initial_weights(architecture, 1))
                if (tensor.layer == layer.name && tensor.name == parameter.name)
                    for (const float value : tensor.values)
                        largest = worse_of(largest, std::abs(static_cast<double>(value)));
            const double limit = std::sqrt(6.0 / expected->second);
            CHECK(largest <= limit * (1.0 + 1e-7));
            CHECK(largest > 0.98 * limit);
        }
    CHECK(kernels == fans.size());
}
