// Frozen layers: what they compute, who is updated, and how far gradients go back.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/parameters/initializers.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kBatch = 5, kClasses = 3;
const Shape kImage{6, 5, 3, false};

LayerConfig frozen(LayerConfig layer) {
    layer.trainable = false;
    return layer;
}
LayerConfig conv(const std::string& name, int filters, int size,
                 Activation activation = Activation::linear) {
    return {name, Conv2dConfig{.filters = filters,
                               .kernel_size = {size, size},
                               .padding = Padding::same,
                               .activation = activation}};
}
LayerConfig dense(const std::string& name, int units, Activation activation = Activation::linear) {
    return {name, DenseConfig{.units = units, .activation = activation}};
}
const LayerConfig kNorm{"norm", BatchNormalizationConfig{}};
const LayerConfig kPool{"pool", PoolingConfig{}};
const LayerConfig kFlatten{"flatten", FlattenConfig{}};

// The loss, and its gradient by the input, if wanted, and by what is trained.
void check_network(const std::vector<LayerConfig>& layers, bool wants_diff_input,
                   const Shape& input = kImage) {
    const Communicator self(MPI_COMM_SELF);
    NetworkProbe probe({.layers = layers,
                        .input = input,
                        .classes = kClasses,
                        .batch = kBatch,
                        .shards = 3,
                        .wants_diff_input = wants_diff_input},
                       self);
    randomize_parameters(probe.network(), 51);
    RandomValues random(52);
    const auto images = random.floats(kBatch * static_cast<std::size_t>(input.size()));
    const std::vector<std::uint16_t> labels{0, 2, 1, 1, 0};
    std::vector<Values> parameters;
    const NamedTensors weights = probe.network().parameters().weights();
    for (const NamedTensor& tensor : weights) parameters.push_back(in_double(tensor.values));
    Values x = in_double(images);
    const Architecture architecture = infer_shapes(layers, input, kClasses);
    const auto loss = [&] {
        return plain_loss(plain_forward(layers, architecture, parameters, x, kBatch), labels,
                          kClasses);
    };
    const LossGradient found = probe.run(images, labels);
    CHECK(found.loss == Approx(loss()).epsilon(1e-5));
    if (wants_diff_input) check_gradient("input", found.diff_input, x, loss, 2e-4);
    std::size_t tensor = 0, next = 0;
    for (const LayerShape& layer : architecture.layers)
        for (const ParameterShape& parameter : layer.parameters) {
            if (parameter.is_trainable)
                check_gradient(layer.name + "/" + parameter.name, found.gradient.at(next++).values,
                               parameters[tensor], loss, 2e-4);
            ++tensor;
        }
    CHECK(next == found.gradient.size());
    probe.plan().commit();
    const NamedTensors after = probe.network().parameters().weights();
    for (std::size_t i = 0; i < after.size(); ++i)
        if (after[i].name.starts_with("moving") && after[i].layer == "frozen")
            CHECK(after[i].values == weights[i].values);
}

std::set<std::string> backward_layers(const std::vector<LayerConfig>& layers) {
    const Communicator self(MPI_COMM_SELF);
    NetworkProbe probe({.layers = layers, .input = kImage, .classes = kClasses, .batch = kBatch},
                       self);
    std::set<std::string> names;
    for (const PlannedStep& step : probe.plan().backward_calls())
        names.insert(probe.network().graph().nodes()[step.work->node].name);
    return names;
}

}  // namespace

TEST_CASE("a frozen normalization goes by its moving statistics in training", "[trainer][frozen]") {
    for (const bool center : {false, true})
        for (const int channels : {1, 7, 16, 17})
            for (const Shape& input : {Shape{4, 3, channels, false}, Shape{1, 1, channels, true}}) {
                CAPTURE(center, to_string(input));
                LayerProbeSetting setting;
                setting.config = frozen({"frozen", BatchNormalizationConfig{.center = center}});
                setting.input = input;
                check_layer(setting);
            }
}

TEST_CASE("gradient through frozen layers of every kind", "[trainer][frozen]") {
    LayerConfig norm = frozen(kNorm);
    norm.name = "frozen";
    const LayerConfig out = dense("out", kClasses);
    for (const auto& [filters, size] :
         {std::pair{7, 1}, std::pair{17, 2}, std::pair{16, 3}, std::pair{1, 5}}) {
        CAPTURE(filters, size);
        const LayerConfig relu = conv("a", filters, size, Activation::relu);
        const LayerConfig fixed = frozen(conv("b", filters, size, Activation::relu));
        check_network({relu, fixed, kFlatten, out}, true);
        check_network({relu, norm, fixed, norm, kPool, kFlatten, out}, true);
        check_network({relu, norm, kPool, fixed, kFlatten, frozen(dense("d", filters)), out}, true);
        check_network({fixed, norm, kPool, kFlatten, dense("d", 4), out}, true);
        check_network({relu, norm, kFlatten, frozen(out)}, true);
    }
}

TEST_CASE("layers behind frozen ones are trained, whatever stands in front", "[trainer][frozen]") {
    LayerConfig norm = frozen(kNorm);
    norm.name = "frozen";
    const LayerConfig first = frozen(conv("a", 16, 3, Activation::relu)),
                      out = dense("o", kClasses);
    check_network({first, norm, kPool, conv("b", 9, 2), kFlatten, out}, false);
    check_network({first, kPool, kNorm, kFlatten, out}, false);
    check_network({first, kPool, kFlatten, frozen(dense("d", 20, Activation::silu)), out}, false);
    check_network({frozen(conv("a", 7, 3, Activation::gelu)), kFlatten, out}, false);
    // The first convolution of few channels, one pass with its pooling.
    check_network({first, kPool, kFlatten, out}, false, {12, 10, 3, false});
    // Nothing is trained in front of a normalization without parameters.
    check_network({first,
                   {"norm", BatchNormalizationConfig{.center = false, .scale = false}},
                   kPool,
                   kFlatten,
                   out},
                  false);
}

TEST_CASE("nothing in front of the first trained layer has a backward pass", "[trainer][frozen]") {
    using Names = std::set<std::string>;
    const LayerConfig a = conv("a", 16, 3, Activation::relu), b = conv("b", 9, 2),
                      out = dense("out", kClasses);
    CHECK(backward_layers({a, kNorm, b, kFlatten, out}) == Names{"a", "norm", "b", "out"});
    CHECK(backward_layers({frozen(a), kNorm, b, kFlatten, out}) == Names{"norm", "b", "out"});
    CHECK(backward_layers({frozen(a), frozen(kNorm), frozen(b), kFlatten, out}) == Names{"out"});
    CHECK(backward_layers({frozen(a), frozen(kNorm), b, kFlatten, out}) == Names{"b", "out"});
}

TEST_CASE("training leaves frozen layers as they were, decay and regularizers too",
          "[trainer][frozen]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_recipe();
    const std::set<std::string> names{"conv2d_1", "batch_normalization", "dense"};
    for (LayerConfig& layer : config.layers) layer.trainable = !names.contains(layer.name);
    const Trained trained = train_tiny(config, self);
    const NamedTensors before =
        initial_weights(infer_shapes(config.layers, {8, 8, 3, false}, 4), config.train.seed);
    for (std::size_t i = 0; i < before.size(); ++i) {
        CAPTURE(before[i].layer, before[i].name);
        const bool is_same = trained.outcome.weights.at(i).values == before[i].values;
        CHECK(is_same == names.contains(before[i].layer));
    }
    // Their regularizers are no part of the loss.
    RunConfig without = config;
    std::get<Conv2dConfig>(without.layers[2].kind).kernel_l2 = 0.0;
    std::get<DenseConfig>(without.layers[10].kind).kernel_l2 = 0.0;
    CHECK(bits_of(train_tiny(without, self).seen.steps) == bits_of(trained.seen.steps));
}

TEST_CASE("a tensor is trained in as many epochs as it shall be", "[trainer][frozen]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = whitened_run();
    config.train.epochs = 3;
    config.layers.front().trainable_epochs = {{"kernel", 0}, {"bias", 2}};
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    const NamedTensors before =
        initial_weights(infer_shapes(config.layers, data.shape, 4), config.train.seed, data);
    const Trained trained = train_tiny(config, self);
    REQUIRE(trained.seen.snapshots.size() == 3);
    const auto of_epoch = [&](std::size_t epoch) { return trained.seen.snapshots[epoch].state; };
    const auto kernel = [](const TrainState& state) { return state.weights.at(0).values; };
    const auto bias = [](const TrainState& state) { return state.weights.at(1).values; };
    for (std::size_t epoch = 0; epoch < 3; ++epoch)
        CHECK(kernel(of_epoch(epoch)) == before.at(0).values);
    CHECK(bias(of_epoch(0)) != before.at(1).values);
    CHECK(bias(of_epoch(1)) != bias(of_epoch(0)));
    CHECK(bias(of_epoch(2)) == bias(of_epoch(1)));
    const auto velocity = [&](std::size_t epoch, std::size_t tensor) {
        return of_epoch(epoch).slots.at("momentum").at(tensor).values;
    };
    CHECK(velocity(2, 1) == velocity(1, 1));
    CHECK(velocity(2, 2) != velocity(1, 2));
    CHECK(velocity(2, 0) == std::vector<float>(before.at(0).values.size(), 0.0F));
    // Up to there it is as if it were trained always.
    config.layers.front().trainable_epochs = {{"kernel", 0}};
    const Trained longer = train_tiny(config, self);
    CHECK(digest_of(longer.seen.snapshots[1].state.weights) == digest_of(of_epoch(1).weights));
    CHECK(digest_of(longer.outcome.weights) != digest_of(trained.outcome.weights));
}

TEST_CASE("a network of frozen layers alone trains nothing", "[trainer][frozen]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run();
    for (LayerConfig& layer : config.layers) layer.trainable = false;
    const Trained trained = train_tiny(config, self);
    const Architecture architecture = infer_shapes(config.layers, {8, 8, 3, false}, 4);
    CHECK(architecture.trainable_count() == 0);
    CHECK(trained.outcome.weights == initial_weights(architecture, config.train.seed));
}

TEST_CASE("parameters of frozen layers are not trainable", "[trainer][frozen]") {
    const std::vector<LayerConfig> layers{frozen(conv("a", 4, 1)), frozen(kNorm), kFlatten,
                                          dense("out", kClasses)};
    const Architecture architecture = infer_shapes(layers, {2, 2, 3, false}, kClasses);
    CHECK(architecture.layers[0].trainable_count() == 0);
    CHECK(architecture.layers[1].trainable_count() == 0);
    CHECK(architecture.trainable_count() == 16 * 3 + 3);
    CHECK(architecture.parameter_count() == 3 * 4 + 4 + 4 * 4 + 16 * 3 + 3);
}
