// Evaluation with normalizations folded into convolutions, against the layers' definitions in
// double.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/network/step_plan.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kBatch = 5;

// Shards of two samples, the last of one.
PlanSetting evaluation(int shard = 2) {
    PlanSetting setting;
    setting.geometry = {.batch = kBatch, .first_sample = 0, .samples = kBatch, .shards = {}};
    for (int first = 0; first < kBatch; first += shard)
        setting.geometry.shards.push_back({first, std::min(shard, kBatch - first)});
    return setting;
}

// A network over random images, with random parameters.
class Probe {
public:
    Probe(const std::vector<LayerConfig>& layers, const Shape& input)
        : layers_(layers),
          input_(input),
          architecture_(architecture_of(layers, input)),
          network_(layers, input, static_cast<int>(architecture_.layers.back().output.size())) {
        randomize_parameters(network_, 41);
        RandomValues random(42);
        images_ = random.floats(kBatch * static_cast<std::size_t>(input.size()));
    }

    Network& network() { return network_; }
    std::vector<float> run(StepPlan& plan) const {
        relayout(interleaved(input_), images_.data(), network_.input(), plan.input(), kBatch);
        plan.forward({});
        return {plan.logits().begin(), plan.logits().end()};
    }
    std::vector<float> run(const PlanSetting& setting) {
        BufferPool pool;
        StepPlan plan(network_, setting, comm_, clocks_, pool);
        pieces_.clear();
        for (const PlannedStep& step : plan.forward_calls()) pieces_.insert(step.work->work.what);
        return run(plan);
    }
    // Of the last plan that was made for a run.
    bool has_piece(const std::string& what) const { return pieces_.contains(what); }

    // By the definition, with the moving statistics.
    Values expected() const {
        const NamedTensors weights = network_.parameters().weights();
        std::vector<Values> all;
        for (const NamedTensor& tensor : weights) all.push_back(in_double(tensor.values));
        std::span<const Values> parameters = all;
        Values values = in_double(images_);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const LayerShape& shape = architecture_.layers[i];
            LayerConfig layer = layers_[i];
            layer.trainable = false;
            values = plain_forward(layer, shape, parameters.first(shape.parameters.size()), values,
                                   kBatch);
            parameters = parameters.subspan(shape.parameters.size());
        }
        return values;
    }

private:
    static Architecture architecture_of(const std::vector<LayerConfig>& layers,
                                        const Shape& input) {
        try {
            return infer_shapes(layers, input, -1);
        } catch (const ShapeError& error) {
            return error.so_far();
        }
    }

    std::vector<LayerConfig> layers_;
    Shape input_;
    Architecture architecture_;
    Network network_;
    std::vector<float> images_;
    const Communicator comm_{MPI_COMM_SELF};
    StepClocks clocks_;
    std::set<std::string> pieces_;
};

LayerConfig convolution(int filters, int size, Activation activation = Activation::linear,
                        int stride = 1, bool use_bias = true) {
    return {"convolution", Conv2dConfig{.filters = filters,
                                        .kernel_size = {size, size},
                                        .strides = {stride, stride},
                                        .padding = Padding::same,
                                        .activation = activation,
                                        .use_bias = use_bias}};
}
LayerConfig normalization(double epsilon = 1e-3) {
    return {"normalization", BatchNormalizationConfig{.epsilon = epsilon}};
}
const LayerConfig kRelu{"relu", ActivationConfig{Activation::relu}};
const LayerConfig kFlatten{"flatten", FlattenConfig{}};
const LayerConfig kDropout{"dropout", DropoutConfig{.rate = 0.5}};
const LayerConfig kPool{"pool", PoolingConfig{}};

const Shape kImage{8, 9, 20, false};

}  // namespace

TEST_CASE("evaluation: a normalization and a ReLU behind a convolution are computed with it",
          "[trainer][plan]") {
    for (const auto& [size, stride] :
         {std::array{3, 1}, std::array{2, 1}, std::array{5, 1}, std::array{1, 1}, std::array{3, 2}})
        for (const int channels : {3, 10, 16, 20})
            for (const int filters : {1, 8, 10, 16, 33})
                for (const bool has_relu : {false, true}) {
                    CAPTURE(size, stride, channels, filters, has_relu);
                    std::vector<LayerConfig> layers{
                        convolution(filters, size, Activation::linear, stride), normalization(),
                        kFlatten};
                    if (has_relu) layers.insert(layers.begin() + 2, kRelu);
                    Probe probe(layers, {8, 9, channels, false});
                    const auto found = probe.run(evaluation());
                    check_close("folded", found, probe.expected(), 1.2e-5);
                    CHECK(probe.has_piece("folded normalization"));
                    CHECK_FALSE(probe.has_piece("normalization"));
                    CHECK_FALSE(probe.has_piece("ReLU"));
                }
}

TEST_CASE("evaluation: a normalization folds into any kind of convolution", "[trainer][plan]") {
    const auto grouped = [](int filters, int groups, int rate = 1) {
        return LayerConfig{"grouped", Conv2dConfig{.filters = filters,
                                                   .kernel_size = {3, 3},
                                                   .padding = Padding::same,
                                                   .dilation_rate = {rate, rate},
                                                   .groups = groups}};
    };
    const auto depthwise = [](int multiplier) {
        return LayerConfig{"depthwise", DepthwiseConv2dConfig{.kernel_size = {3, 3},
                                                              .padding = Padding::same,
                                                              .depth_multiplier = multiplier}};
    };
    const LayerConfig separable{"separable",
                                SeparableConv2dConfig{.filters = 17, .kernel_size = {3, 3}}};
    for (const LayerConfig& config : {grouped(32, 2), grouped(24, 4), grouped(20, 20),
                                      grouped(20, 1, 2), depthwise(1), depthwise(2), separable})
        for (const int channels : {20, 40}) {
            if (config.name == "grouped" && channels == 40) continue;
            CAPTURE(config.name, channels);
            Probe probe({config, normalization(), kRelu, kFlatten}, {8, 9, channels, false});
            check_close("folded", probe.run(evaluation()), probe.expected(), 1.2e-5);
            CHECK(probe.has_piece("folded normalization"));
            CHECK_FALSE(probe.has_piece("normalization"));
            CHECK_FALSE(probe.has_piece("ReLU"));
        }
}

TEST_CASE("evaluation: folding knows a missing bias and the normalization's epsilon",
          "[trainer][plan]") {
    for (const int size : {3, 5})
        for (const bool use_bias : {true, false})
            for (const double epsilon : {1e-5, 0.5}) {
                CAPTURE(size, use_bias, epsilon);
                Probe probe({convolution(20, size, Activation::linear, 1, use_bias),
                             normalization(epsilon), kRelu, kFlatten},
                            kImage);
                check_close("folded", probe.run(evaluation()), probe.expected(), 1.2e-5);
            }
}

TEST_CASE("evaluation: an activation that stands behind a convolution or a normalization",
          "[trainer][plan]") {
    for (const Activation activation : {Activation::silu, Activation::sigmoid})
        for (const int filters : {16, 20}) {
            CAPTURE(static_cast<int>(activation), filters);
            const LayerConfig layer{"activation", ActivationConfig{activation}};
            Probe behind({convolution(filters, 3), normalization(), layer, kFlatten}, kImage);
            check_close("behind", behind.run(evaluation()), behind.expected(), 1.2e-5);
            CHECK(behind.has_piece("folded normalization"));
            CHECK(behind.has_piece("activation"));
            Probe between({convolution(filters, 3, activation), normalization(), kFlatten}, kImage);
            check_close("between", between.run(evaluation()), between.expected(), 1.2e-5);
            CHECK_FALSE(between.has_piece("folded normalization"));
        }
}

TEST_CASE("evaluation: folding knows a missing gamma and a missing beta", "[trainer][plan]") {
    for (const bool center : {false, true})
        for (const bool scale : {false, true}) {
            CAPTURE(center, scale);
            const LayerConfig norm{"normalization",
                                   BatchNormalizationConfig{.center = center, .scale = scale}};
            Probe folded({convolution(20, 3), norm, kRelu, kFlatten}, kImage);
            check_close("folded", folded.run(evaluation()), folded.expected(), 1.2e-5);
            CHECK(folded.has_piece("folded normalization"));
            Probe alone({norm, kFlatten}, kImage), pooled({norm, kPool, kFlatten}, kImage);
            check_close("alone", alone.run(evaluation()), alone.expected(), 2e-6);
            check_close("pooled", pooled.run(evaluation()), pooled.expected(), 2e-6);
        }
}

TEST_CASE("evaluation: folding leaves the parameters, and goes by those of now",
          "[trainer][plan]") {
    for (const int size : {3, 5}) {
        CAPTURE(size);
        Probe probe({convolution(20, size), normalization(), kRelu, convolution(7, size),
                     normalization(), kFlatten},
                    kImage);
        const Communicator comm(MPI_COMM_SELF);
        StepClocks clocks;
        BufferPool pool;
        StepPlan plan(probe.network(), evaluation(), comm, clocks, pool);
        const NamedTensors before = probe.network().parameters().weights();
        const auto first = probe.run(plan);
        CHECK(probe.run(plan) == first);
        CHECK(probe.network().parameters().weights() == before);
        randomize_parameters(probe.network(), 43);
        const auto second = probe.run(plan);
        CHECK(second != first);
        check_close("other parameters", second, probe.expected(), 2e-5);
    }
}

TEST_CASE("evaluation: a folded sample's bits do not depend on its shard", "[trainer][plan]") {
    for (const int size : {3, 5}) {
        Probe probe({convolution(20, size), normalization(), kRelu, kFlatten}, kImage);
        const auto expected = probe.run(evaluation());
        for (const int shard : {1, 3, kBatch}) CHECK(probe.run(evaluation(shard)) == expected);
    }
}

TEST_CASE("evaluation: what stands apart or cannot be folded is computed as it is",
          "[trainer][plan]") {
    struct Case {
        std::vector<LayerConfig> layers;
        bool is_folded;
    };
    const LayerConfig with_relu = convolution(20, 3, Activation::relu);
    const std::vector<Case> cases{
        // A ReLU between.
        {{with_relu, normalization(), kFlatten}, false},
        {{convolution(20, 3), kRelu, normalization(), kFlatten}, false},
        {{convolution(20, 3), kPool, normalization(), kFlatten}, false},
        // One pass with the pooling.
        {{convolution(20, 3), normalization(), kPool, kFlatten}, false},
        {{convolution(20, 3), normalization(), kPool, kDropout, kRelu, kFlatten}, false},
        // Nothing in front.
        {{normalization(), convolution(20, 3), kFlatten}, false},
        {{convolution(20, 3), kRelu, kFlatten}, false},
        // The second one behind a normalization stays.
        {{convolution(20, 3), normalization(), normalization(1e-2), kFlatten}, true},
        {{convolution(20, 3), normalization(), kRelu, kPool, kFlatten}, true},
        {{convolution(20, 3), normalization(), with_relu, kFlatten}, true},
        {{convolution(20, 3), normalization(), kRelu, kDropout, kFlatten}, true}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(i);
        std::vector<LayerConfig> without_dropout = cases[i].layers;
        std::erase_if(without_dropout, [](const LayerConfig& layer) {
            return std::holds_alternative<DropoutConfig>(layer.kind);
        });
        Probe probe(cases[i].layers, kImage), plain(without_dropout, kImage);
        check_close("evaluation", probe.run(evaluation()), plain.expected(), 2e-5);
        CHECK(probe.has_piece("folded normalization") == cases[i].is_folded);
    }
}

TEST_CASE("evaluation: a normalization is folded only where nobody else reads in front of it",
          "[trainer][plan]") {
    struct Case {
        std::vector<std::size_t> sum;  // of these values: 1 convolution, 2 normalization, 3 ReLU
        bool is_folded, has_own_relu;
    };
    for (const Case& c :
         {Case{{1, 3}, false, true}, Case{{2, 3}, true, true}, Case{{3, 3}, true, false}}) {
        CAPTURE(c.sum.front());
        const std::vector<LayerConfig> layers{
            convolution(20, 3), normalization(), kRelu, {"sum", MergeConfig{}, c.sum}, kFlatten};
        Network network(layers, kImage, 8 * 9 * 20);
        randomize_parameters(network, 44);
        const Communicator comm(MPI_COMM_SELF);
        StepClocks clocks;
        BufferPool pool;
        StepPlan plan(network, evaluation(), comm, clocks, pool);
        const auto has = [&](const std::string& what) {
            return std::ranges::any_of(plan.forward_calls(), [&](const PlannedStep& step) {
                return step.work->work.what == what;
            });
        };
        CHECK(has("folded normalization") == c.is_folded);
        CHECK(has("normalization") != c.is_folded);
        CHECK(has("ReLU") == c.has_own_relu);
    }
}
