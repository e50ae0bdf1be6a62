// A network as an ONNX graph: its nodes, what they are given, and how weights are turned.
#include "pipeline/exporting/onnx_network.hpp"

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

// Weights 0, 1, 2, ... in every tensor.
trainer::NamedTensors counted_weights(const trainer::Architecture& architecture) {
    trainer::NamedTensors weights;
    for (const auto& layer : architecture.layers) {
        for (const auto& parameter : layer.parameters) {
            weights.push_back({layer.name, parameter.name, parameter.shape, {}});
            for (std::int64_t i = 0; i < parameter.size(); ++i) {
                weights.back().values.push_back(static_cast<float>(i));
            }
        }
    }
    return weights;
}

const trainer::PixelScale kUnit{{0, 0, 0}, {255, 255, 255}};

storage::OnnxModel exported(const std::string& layers, const trainer::PixelScale& scale = kUnit) {
    const pipeline::RunSpec run =
        read(std::string(kHead) + "[[run]]\nname = \"small\"\nlayers = [\n" + layers + "\n]\n")
            .runs.at(0);
    return pipeline::onnx_network(run.config, run.architecture, counted_weights(run.architecture),
                                  scale, {{"output", "probabilities"}});
}

const std::string kEnd = "{ type = \"flatten\" }, { type = \"dense\", units = 10 }";
const std::string kConvolution =
    "{ type = \"conv2d\", filters = 2, kernel_size = [2, 3], padding = \"same\" }, ";

Texts operators(const storage::OnnxModel& model) {
    Texts types;
    for (const auto& node : model.nodes) types.push_back(node.op_type);
    return types;
}

const storage::OnnxNode& node_of(const storage::OnnxModel& model, const std::string& name) {
    for (const auto& node : model.nodes) {
        if (node.name == name) return node;
    }
    throw std::runtime_error("no node " + name);
}

template <class Value>
Value attribute(const storage::OnnxModel& model, const std::string& node, const std::string& name) {
    for (const auto& each : node_of(model, node).attributes) {
        if (each.name == name) return std::get<Value>(each.value);
    }
    throw std::runtime_error("no attribute " + name);
}

storage::OnnxTensor constant(const storage::OnnxModel& model, const std::string& name) {
    for (const auto& tensor : model.initializers) {
        if (tensor.name == name) return tensor;
    }
    throw std::runtime_error("no constant " + name);
}

}  // namespace

TEST_CASE("onnx: pixels in, probabilities out, whatever the network ends in", "[onnx]") {
    const Texts flat{"Div", "Flatten", "Gemm", "Softmax"};
    CHECK(operators(exported(kEnd)) == flat);
    CHECK(operators(exported("{ type = \"flatten\" }, "
                             "{ type = \"dense\", units = 10, activation = \"softmax\" }")) ==
          flat);
    CHECK(operators(exported(kEnd + ", { type = \"activation\", activation = \"softmax\" }")) ==
          flat);
    // A softmax in front of another layer is the network's own.
    CHECK(operators(exported("{ type = \"flatten\" }, "
                             "{ type = \"dense\", units = 10, activation = \"softmax\" }, "
                             "{ type = \"activation\", activation = \"linear\" }")) ==
          Texts{"Div", "Flatten", "Gemm", "Softmax", "Softmax"});
    const auto model = exported(kEnd);
    CHECK(model.input.name == "pixels");
    CHECK(std::get<std::int64_t>(model.input.shape.at(3)) == 3);
    CHECK(model.nodes.back().outputs == Texts{"probabilities"});
    CHECK(std::get<std::int64_t>(model.output.shape.at(1)) == 10);
    CHECK(attribute<std::int64_t>(model, "probabilities", "axis") == -1);
}

TEST_CASE("onnx: the graph scales pixels as training did", "[onnx]") {
    CHECK(operators(exported(kEnd, {{0, 0, 0}, {1, 1, 1}})).front() == "Flatten");
    CHECK(constant(exported(kEnd), "/pixels/divisor").values == std::vector<float>(3, 255.0F));
    const auto model = exported(kEnd, {{1, 0, 3}, {4, 1, 6}});
    CHECK(model.nodes[0].op_type == "Sub");
    CHECK(model.nodes[0].inputs == Texts{"pixels", "/pixels/offset"});
    CHECK(constant(model, "/pixels/offset").values == std::vector<float>{1, 0, 3});
    CHECK(model.nodes[1].op_type == "Div");
    CHECK(constant(model, "/pixels/divisor").values == std::vector<float>{4, 1, 6});
}

// ONNX: "the names of all nodes' outputs and initializers must be unique" within a graph.
TEST_CASE("onnx: a layer may be called as the graph calls its input", "[onnx]") {
    const auto model =
        exported("{ type = \"rescaling\", name = \"pixels\", scale = 2, offset = -1 }, " + kEnd,
                 {{1, 0, 3}, {4, 1, 6}});
    CHECK(constant(model, "pixels/offset").values == std::vector<float>{-1});
    CHECK(constant(model, "/pixels/offset").values == std::vector<float>{1, 0, 3});
    std::set<std::string> names{model.input.name};
    for (const auto& tensor : model.initializers) CHECK(names.insert(tensor.name).second);
    for (const auto& node : model.nodes)
        for (const std::string& output : node.outputs) CHECK(names.insert(output).second);
}

TEST_CASE("onnx: images are turned once, and back for a flatten; dropout is left out", "[onnx]") {
    const auto model = exported(kConvolution +
                                "{ type = \"max_pooling2d\" }, { type = \"dropout\", rate = 0.5 }, "
                                "{ type = \"batch_normalization\", epsilon = 0.5 }, " +
                                kEnd);
    CHECK(operators(model) == Texts{"Div", "Transpose", "Conv", "MaxPool", "BatchNormalization",
                                    "Transpose", "Flatten", "Gemm", "Softmax"});
    CHECK(attribute<Integers>(model, "conv2d/Transpose", "perm") == Integers{0, 3, 1, 2});
    CHECK(attribute<Integers>(model, "flatten/Transpose", "perm") == Integers{0, 2, 3, 1});
    CHECK(attribute<float>(model, "batch_normalization/BatchNormalization", "epsilon") == 0.5F);
    CHECK(node_of(model, "batch_normalization/BatchNormalization").inputs ==
          Texts{"max_pooling2d/MaxPool", "batch_normalization/gamma", "batch_normalization/beta",
                "batch_normalization/moving_mean", "batch_normalization/moving_variance"});
}

TEST_CASE("onnx: \"same\" pads at the bottom and right first", "[onnx]") {
    // Top, left, bottom, right. 2 rows and 3 columns with stride 1: 1 zero row, 2 zero columns.
    CHECK(attribute<Integers>(exported(kConvolution + kEnd), "conv2d/Conv", "pads") ==
          Integers{0, 1, 1, 1});
    // 32 pixels by 3 with stride 2: (16 - 1) * 2 + 3 - 32 = 1 zero.
    const auto pooled = exported(
        "{ type = \"average_pooling2d\", pool_size = 3, strides = 2, padding = \"same\" }, " +
        kEnd);
    CHECK(attribute<Integers>(pooled, "average_pooling2d/AveragePool", "pads") ==
          Integers{0, 0, 1, 1});
    CHECK(attribute<Integers>(pooled, "average_pooling2d/AveragePool", "strides") ==
          Integers{2, 2});
    CHECK(attribute<std::int64_t>(pooled, "average_pooling2d/AveragePool", "count_include_pad") ==
          0);
    const auto valid = exported("{ type = \"conv2d\", filters = 1, kernel_size = 3 }, " + kEnd);
    CHECK(attribute<Integers>(valid, "conv2d/Conv", "pads") == Integers{0, 0, 0, 0});
}

TEST_CASE("onnx: convolution kernels are turned, dense ones are not", "[onnx]") {
    const auto model = exported(kConvolution + kEnd);
    const auto kernel = constant(model, "conv2d/kernel");
    CHECK(kernel.shape == Integers{2, 3, 2, 3});
    // (o, i, h, w) is Keras' (h, w, i, o), whose place among 2 x 3 x 3 x 2 the weights hold.
    std::size_t place = 0;
    bool is_turned = true;
    for (int o = 0; o < 2; ++o)
        for (int i = 0; i < 3; ++i)
            for (int h = 0; h < 2; ++h)
                for (int w = 0; w < 3; ++w)
                    is_turned &=
                        kernel.values[place++] == static_cast<float>(o + 2 * (i + 3 * (w + 3 * h)));
    CHECK(is_turned);
    const auto dense = constant(model, "dense/kernel");
    CHECK(dense.shape == Integers{32 * 32 * 2, 10});
    CHECK(dense.values[11] == 11.0F);
    const auto bare =
        exported("{ type = \"flatten\" }, { type = \"dense\", units = 10, use_bias = false }");
    CHECK(node_of(bare, "dense/Gemm").inputs == Texts{"flatten/Flatten", "dense/kernel"});
}

TEST_CASE("onnx: every value is made once, before it is used", "[onnx]") {
    // Layers named as the graph's ends are no exception.
    const auto model = exported(
        "{ type = \"batch_normalization\", name = \"pixels\" }, "
        "{ type = \"conv2d\", filters = 2, kernel_size = 1, activation = \"relu\", "
        "name = \"probabilities\" }, "
        "{ type = \"flatten\" }, { type = \"flatten\" }, { type = \"batch_normalization\" }, "
        "{ type = \"dense\", units = 10, activation = \"relu\" }",
        {{1, 1, 1}, {2, 2, 2}});
    std::set<std::string> made{model.input.name};
    REQUIRE_FALSE(model.initializers.empty());
    REQUIRE(model.nodes.size() >= 6);
    for (const auto& tensor : model.initializers) CHECK(made.insert(tensor.name).second);
    for (const auto& node : model.nodes) {
        CAPTURE(node.name);
        for (const std::string& input : node.inputs) CHECK(made.contains(input));
        for (const std::string& output : node.outputs) CHECK(made.insert(output).second);
    }
    CHECK(made.contains(model.output.name));
    CHECK(model.metadata.front().first == "output");
}

TEST_CASE("onnx: nodes read the values that their layers name", "[onnx]") {
    const storage::OnnxModel model = exported(
        kConvolution + "{ type = \"add\", inputs = [\"conv2d\", \"conv2d\", \"conv2d\"] }, " +
        "{ type = \"concatenate\", inputs = [\"add\", \"input\"] }, " +
        "{ type = \"global_average_pooling2d\" }, { type = \"dense\", units = 10 }");
    CHECK(operators(model) == Texts{"Div", "Transpose", "Conv", "Add", "Add", "Transpose", "Concat",
                                    "GlobalAveragePool", "Flatten", "Gemm", "Softmax"});
    CHECK(node_of(model, "add/1/Add").inputs == Texts{"conv2d/Conv", "conv2d/Conv"});
    CHECK(node_of(model, "add/2/Add").inputs == Texts{"add/1/Add", "conv2d/Conv"});
    // The pixels lie as the convolution's channels do.
    CHECK(node_of(model, "concatenate/1/Transpose").inputs ==
          Texts{node_of(model, model.nodes[0].name).outputs});
    CHECK(node_of(model, "concatenate/Concat").inputs ==
          Texts{"add/2/Add", "concatenate/1/Transpose"});
    CHECK(attribute<std::int64_t>(model, "concatenate/Concat", "axis") == 1);
}
