// Networks that are no chains: their loss and its gradient, by the input and all weights, against
// finite differences of plain loops in double.
#include <cstring>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/kernels/elementwise.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kClasses = 3, kBatch = 5;

struct Batch {
    std::vector<float> input;
    std::vector<Label> labels;
};

Batch random_batch(const Shape& input) {
    RandomValues random(32);
    Batch batch{random.floats(kBatch * static_cast<std::size_t>(input.size())), {}};
    for (int i = 0; i < kBatch; ++i)
        batch.labels.push_back(static_cast<std::uint8_t>(random.below(kClasses)));
    return batch;
}

struct GraphCase {
    Shape input;
    std::vector<LayerConfig> layers;
};

NetworkProbeSetting setting_of(const GraphCase& graph, int shards) {
    return {.layers = graph.layers,
            .input = graph.input,
            .classes = kClasses,
            .batch = kBatch,
            .shards = shards,
            .wants_diff_input = true};
}

void check_graph(const GraphCase& graph) {
    const Communicator self(MPI_COMM_SELF);
    for (const int shards : {1, 3}) {
        CAPTURE(shards);
        NetworkProbe probe(setting_of(graph, shards), self);
        randomize_parameters(probe.network(), 31);
        const Batch batch = random_batch(graph.input);
        const NamedTensors weights = probe.network().parameters().weights();
        std::vector<Values> parameters;
        for (const NamedTensor& tensor : weights) parameters.push_back(in_double(tensor.values));
        Values x = in_double(batch.input);
        const Architecture architecture = infer_shapes(graph.layers, graph.input, kClasses);
        const auto loss = [&] {
            return plain_loss(plain_forward(graph.layers, architecture, parameters, x, kBatch),
                              batch.labels, kClasses);
        };
        const LossGradient found = probe.run(batch.input, batch.labels);
        CHECK(found.loss == Approx(loss()).epsilon(1e-5));
        check_gradient("input", found.diff_input, x, loss, 2e-4);
        std::size_t next = 0;  // of the trainable ones
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i].name.starts_with("moving")) continue;
            REQUIRE(next < found.gradient.size());
            check_gradient(weights[i].layer + "/" + weights[i].name, found.gradient[next++].values,
                           parameters[i], loss, 2e-4);
        }
        CHECK(next == found.gradient.size());
        const LossGradient again = probe.run(batch.input, batch.labels);
        CHECK(again.diff_input == found.diff_input);
    }
}

LayerConfig dense(const std::string& name, int units, ValueNumber src,
                  Activation activation = Activation::linear) {
    return {name, DenseConfig{.units = units, .activation = activation}, {src}};
}
LayerConfig conv(const std::string& name, int filters, int size, ValueNumber src,
                 Activation activation = Activation::linear) {
    return {name,
            Conv2dConfig{.filters = filters,
                         .kernel_size = {size, size},
                         .padding = Padding::same,
                         .activation = activation},
            {src}};
}
LayerConfig pool(ValueNumber src) {
    return {"pool", PoolingConfig{.strides = {1, 1}, .padding = Padding::same}, {src}};
}
LayerConfig norm(const std::string& name, ValueNumber src) {
    return {name, BatchNormalizationConfig{}, {src}};
}
LayerConfig relu(ValueNumber src) { return {"relu", ActivationConfig{Activation::relu}, {src}}; }
LayerConfig flatten(ValueNumber src) { return {"flatten", FlattenConfig{}, {src}}; }
LayerConfig global(PoolingKind kind, ValueNumber src) {
    return {"global", GlobalPoolingConfig{kind}, {src}};
}
LayerConfig merge(MergeKind kind, std::vector<ValueNumber> src) {
    return {"merge", MergeConfig{kind}, std::move(src)};
}
LayerConfig sum(std::vector<ValueNumber> src) { return merge(MergeKind::add, std::move(src)); }

const Shape kVector{1, 1, 6, true}, kImage{6, 5, 3, false};

GraphCase residual_block() {
    return {kImage,
            {conv("a", 10, 3, 0, Activation::relu), conv("b", 10, 3, 1, Activation::relu),
             conv("c", 10, 1, 2), sum({1, 3}), relu(4), pool(5), flatten(6),
             dense("logits", kClasses, 7)}};
}

}  // namespace

TEST_CASE("gradient of a dense layer with a way around it", "[trainer][network]") {
    check_graph({kVector,
                 {dense("a", 5, 0, Activation::relu), dense("b", 5, 1), sum({1, 2}),
                  dense("logits", kClasses, 3)}});
    // The way around begins at the input, or is twice the same.
    check_graph(
        {kVector, {dense("a", 6, 0, Activation::relu), sum({0, 1}), dense("logits", kClasses, 2)}});
    check_graph(
        {kVector, {dense("a", 5, 0, Activation::relu), sum({1, 1}), dense("logits", kClasses, 2)}});
}

TEST_CASE("gradient of a value that three layers read", "[trainer][network]") {
    check_graph({kVector,
                 {dense("a", 7, 0, Activation::relu), dense("b", 7, 1, Activation::relu),
                  dense("c", 7, 1), sum({3, 1, 2}), dense("logits", kClasses, 4)}});
    check_graph({kImage,
                 {conv("a", 10, 3, 0, Activation::relu), conv("b", 10, 3, 1), conv("c", 10, 1, 1),
                  norm("d", 1), sum({2, 3, 4}), flatten(5), dense("logits", kClasses, 6)}});
}

TEST_CASE("gradient of convolutions with a way around them", "[trainer][network]") {
    check_graph(residual_block());
    // Two blocks, of which the second normalizes, and an input that two layers read.
    check_graph(
        {kImage,
         {conv("a", 17, 3, 0), conv("b", 17, 1, 0), sum({1, 2}), relu(3), conv("c", 17, 3, 4),
          norm("n", 5), sum({4, 6}), flatten(7), dense("logits", kClasses, 8)}});
}

TEST_CASE("gradient where one of a ReLU's two readers could apply its gradient",
          "[trainer][network]") {
    check_graph({kImage,
                 {conv("a", 10, 3, 0, Activation::relu), pool(1), norm("n", 1), sum({2, 3}),
                  flatten(4), dense("logits", kClasses, 5)}});
    check_graph({kImage,
                 {conv("a", 10, 3, 0, Activation::relu), pool(1), sum({1, 2}), flatten(3),
                  dense("logits", kClasses, 4)}});
    check_graph({kImage,
                 {norm("m", 0), relu(1), norm("n", 2), sum({2, 3}), flatten(4),
                  dense("logits", kClasses, 5)}});
}

TEST_CASE("gradient where a sum is the output, or of images in other layouts",
          "[trainer][network]") {
    check_graph({kVector, {dense("a", kClasses, 0), dense("b", kClasses, 0), sum({1, 2})}});
    // The input's pixels are interleaved, the convolution's channels in blocks.
    check_graph({kImage,
                 {conv("a", 3, 3, 0, Activation::relu), sum({0, 1}), flatten(2),
                  dense("logits", kClasses, 3)}});
    check_graph({kImage,
                 {conv("a", 3, 3, 0, Activation::relu), sum({1, 0}), flatten(2),
                  dense("logits", kClasses, 3)}});
}

TEST_CASE("gradient of products, and of channels one behind the other", "[trainer][network]") {
    for (const MergeKind kind : {MergeKind::multiply, MergeKind::concatenate}) {
        check_graph({kVector,
                     {dense("a", 5, 0, Activation::relu), dense("b", 5, 0), dense("c", 5, 1),
                      merge(kind, {1, 2, 3}), dense("logits", kClasses, 4)}});
        check_graph(
            {kVector, {dense("a", 5, 0), merge(kind, {1, 1}), dense("logits", kClasses, 2)}});
        // Channels that fill no block, one, and more than one.
        for (const int filters : {3, 16, 20})
            check_graph({kImage,
                         {conv("a", filters, 3, 0, Activation::relu), conv("b", filters, 1, 1),
                          merge(kind, {1, 2}), conv("c", 4, 3, 3), flatten(4),
                          dense("logits", kClasses, 5)}});
    }
    // Of different sizes, the network's input among them.
    check_graph({kImage,
                 {conv("a", 17, 3, 0), conv("b", 16, 1, 1, Activation::relu),
                  merge(MergeKind::concatenate, {2, 0, 1, 2}), norm("n", 3), relu(4), flatten(5),
                  dense("logits", kClasses, 6)}});
    // Vectors that were images, whose features do not lie in Keras' order.
    check_graph({kImage,
                 {conv("a", 5, 3, 0), flatten(1), conv("b", 2, 1, 0), flatten(3),
                  merge(MergeKind::concatenate, {2, 4}), dense("logits", kClasses, 5)}});
}

TEST_CASE("gradient of pools over whole images", "[trainer][network]") {
    for (const PoolingKind kind : {PoolingKind::average, PoolingKind::max}) {
        check_graph({kImage,
                     {conv("a", 10, 3, 0, Activation::relu), global(kind, 1),
                      dense("logits", kClasses, 2)}});
        check_graph({kImage, {global(kind, 0), dense("logits", kClasses, 1)}});
        check_graph({kImage,
                     {conv("a", 20, 3, 0), norm("n", 1), global(kind, 2), norm("m", 3),
                      dense("logits", kClasses, 4)}});
        check_graph({kImage, {conv("a", kClasses, 3, 0), global(kind, 1)}});
        // A whole image's figures beside those of its pixels.
        check_graph({kImage,
                     {conv("a", 10, 3, 0, Activation::relu), global(kind, 1), flatten(1),
                      merge(MergeKind::concatenate, {2, 3}), dense("logits", kClasses, 4)}});
    }
}

TEST_CASE("gradient of sums and products with images of one pixel", "[trainer][network]") {
    const LayerConfig squeeze{
        "squeeze", GlobalPoolingConfig{.kind = PoolingKind::average, .keepdims = true}, {1}};
    for (const MergeKind kind : {MergeKind::add, MergeKind::multiply}) {
        for (const int filters : {1, 7, 16, 17}) {
            CAPTURE(static_cast<int>(kind), filters);
            const LayerConfig a = conv("a", filters, 3, 0, Activation::relu),
                              gate = conv("gate", filters, 1, 2, Activation::sigmoid);
            std::vector<std::vector<ValueNumber>> orders{{3, 1}};
            if (filters == 7) orders = {{1, 3}, {1, 2, 1, 3}, {2, 2, 1}, {2, 3}};
            for (const std::vector<ValueNumber>& sources : orders)
                check_graph(
                    {kImage,
                     {a, squeeze, gate, merge(kind, sources), merge(MergeKind::add, {4, 2, 3}),
                      relu(5), flatten(6), dense("logits", kClasses, 7)}});
        }
        // The whole image is the network's input.
        check_graph({kImage,
                     {conv("a", 3, 3, 0), squeeze, merge(kind, {0, 2}), flatten(3),
                      dense("logits", kClasses, 4)}});
    }
}

TEST_CASE("gradient of inverted residuals: depthwise and separable convolutions in a graph",
          "[trainer][network]") {
    const auto depthwise = [](int stride, int multiplier, ValueNumber src) {
        return LayerConfig{"depthwise",
                           DepthwiseConv2dConfig{.kernel_size = {3, 3},
                                                 .strides = {stride, stride},
                                                 .padding = Padding::same,
                                                 .depth_multiplier = multiplier},
                           {src}};
    };
    const auto separable = [](const std::string& name, int filters, ValueNumber src) {
        return LayerConfig{name,
                           SeparableConv2dConfig{
                               .filters = filters, .kernel_size = {3, 3}, .padding = Padding::same},
                           {src}};
    };
    check_graph(
        {kImage,
         {conv("expand", 17, 1, 0), norm("n", 1), depthwise(1, 1, 2), conv("project", 3, 1, 3),
          sum({4, 0}), flatten(5), dense("logits", kClasses, 6)}});
    check_graph({kImage,
                 {separable("a", 5, 0), depthwise(2, 2, 1), separable("b", 4, 2),
                  global(PoolingKind::average, 3), dense("logits", kClasses, 4)}});
    // An image made smaller and larger again, beside itself.
    check_graph({{6, 4, 3, false},
                 {conv("a", 10, 3, 0),
                  depthwise(2, 1, 1),
                  {"up", UpSampling2dConfig{.interpolation = Interpolation::bilinear}, {2}},
                  merge(MergeKind::concatenate, {1, 3}),
                  {"zeros", ZeroPadding2dConfig{.horizontal = {2, 0}}, {4}},
                  flatten(5),
                  dense("logits", kClasses, 6)}});
}

TEST_CASE("gradient of a sum with its ReLU, which several layers read", "[trainer][network]") {
    check_graph({kImage,
                 {conv("a", 16, 3, 0), conv("b", 16, 3, 1), sum({1, 2}), relu(3),
                  conv("c", 16, 3, 4), norm("n", 5), sum({4, 6}), relu(7),
                  global(PoolingKind::average, 8), dense("logits", kClasses, 9)}});
    check_graph({kVector, {dense("a", kClasses, 0), sum({1, 1}), relu(2)}});
}

TEST_CASE("the sum over shards has the same bits however a rank's shards are grouped",
          "[trainer][network]") {
    using Gradient = AlignedArray<float>;
    const auto add = [](const Gradient& left, const Gradient& right) {
        Gradient sum(left.size());
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = left[i] + right[i];
        return sum;
    };
    const auto same_bits = [](const Gradient& a, const Gradient& b) {
        return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    const Communicator self(MPI_COMM_SELF);
    const GraphCase graph = residual_block();
    const Batch batch = random_batch(graph.input);
    const auto probe_of = [&](int shards, std::vector<int> subtrees) {
        NetworkProbeSetting setting = setting_of(graph, shards);
        setting.subtrees = std::move(subtrees);
        auto probe = std::make_unique<NetworkProbe>(setting, self);
        randomize_parameters(probe->network(), 31);
        probe->run(batch.input, batch.labels);
        return probe;
    };
    const auto whole = probe_of(4, {4}), halves = probe_of(4, {2, 2}),
               mixed = probe_of(4, {1, 1, 2}), single = probe_of(4, {});
    const auto &h = halves->gradients(), &m = mixed->gradients(), &s = single->gradients();
    CHECK(same_bits(whole->gradients()[0], add(h[0], h[1])));
    CHECK(same_bits(whole->gradients()[0], add(add(m[0], m[1]), m[2])));
    CHECK(same_bits(whole->gradients()[0], add(add(s[0], s[1]), add(s[2], s[3]))));
    const auto three = probe_of(3, {3}), three_single = probe_of(3, {});
    const auto& t = three_single->gradients();
    CHECK(same_bits(three->gradients()[0], add(add(t[0], t[1]), t[2])));
}

TEST_CASE("a step reads nothing but what it has written", "[trainer][network]") {
    const Communicator self(MPI_COMM_SELF);
    const GraphCase graph = residual_block();
    NetworkProbeSetting chain = setting_of(graph, 4);
    chain.layers = every_kind_of_layer();
    chain.input = {8, 8, 3, false};
    chain.classes = 4;
    chain.wants_diff_input = false;
    NetworkProbeSetting gated = chain, activated = chain, frozen = chain;
    gated.layers = gated_layers();
    activated.layers = activated_layers();
    for (const std::size_t layer : std::vector<std::size_t>{0, 2, 6, 10})
        frozen.layers[layer].trainable = false;
    for (NetworkProbeSetting setting : {setting_of(graph, 4), chain, gated, activated, frozen})
        for (const std::vector<int>& subtrees : {std::vector<int>{1, 1, 1, 1}, {2, 2}, {4}}) {
            CAPTURE(subtrees, setting.classes);
            setting.subtrees = subtrees;
            NetworkProbe probe(setting, self);
            randomize_parameters(probe.network(), 31);
            const Batch batch = random_batch(setting.input);
            const LossGradient expected = probe.run(batch.input, batch.labels);
            probe.forget();
            const LossGradient found = probe.run(batch.input, batch.labels);
            CHECK(found.loss == expected.loss);
            CHECK(found.diff_input == expected.diff_input);
            for (std::size_t i = 0; i < expected.gradient.size(); ++i)
                CHECK(found.gradient[i].values == expected.gradient[i].values);
            // Also where tensors are padded, since an update goes over all of a gradient.
            for (const AlignedArray<float>& gradient : probe.gradients())
                CHECK(all_finite(gradient.data(), gradient.size()));
        }
}
