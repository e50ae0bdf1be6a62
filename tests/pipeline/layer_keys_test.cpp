// Every key of every type of layer, from one file to another: TOML, the settings of a run, Keras.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/experiment/layer_reader.hpp"
#include "pipeline/keras/keras_layer_reader.hpp"
#include "pipeline/keras/keras_layer_writer.hpp"
#include "pipeline/layers/layer_settings_text.hpp"
#include "storage/weights/keras_names.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::KeyText;
using pipeline::LayerKey;
using pipeline::LayerKind;
using pipeline::LayerType;
using trainer::Initializer;

namespace {

// Gives each key another value than its default.
class Changer final : public pipeline::KeyVisitor {
public:
    explicit Changer(Initializer initializer) : initializer_(initializer) {}

    void whole(LayerKey, int& value, pipeline::WholeRange) override { value += 3; }
    void real(LayerKey, double& value, pipeline::RealRange) override { value = value / 2 + 0.125; }
    void truth(LayerKey, bool& value) override { value = !value; }
    void rate(LayerKey, double& value) override { value = 0.375; }
    void pair(LayerKey, std::array<int, 2>& value, pipeline::WholeRange) override {
        value = {value[0] + 1, value[1] + 2};
    }
    void pair_like(LayerKey, std::array<int, 2>& value, const std::array<int, 2>&,
                   pipeline::WholeRange) override {
        value = {7, 5};
    }
    void borders(LayerKey, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                 pipeline::WholeRange) override {
        vertical = {0, 2};
        horizontal = {3, 4};
    }
    void initializer(LayerKey, trainer::InitializerConfig& value) override {
        value = initializer_;
        pipeline::visit_arguments(
            value, [](std::string_view, double& number, pipeline::RealRange) { number += 0.25; });
    }
    void l2(LayerKey, double& value) override { value = 0.5; }

private:
    void word(LayerKey, std::size_t& index, std::span<const std::string_view> words) override {
        index = words.size() - 1 - index;
    }
    Initializer initializer_;
};

LayerKind changed(const LayerType& type, Initializer initializer = Initializer::orthogonal) {
    LayerKind kind = type.kind;
    Changer changer(initializer);
    pipeline::visit_keys(kind, changer);
    return kind;
}

std::vector<std::string> lines_of(const std::vector<KeyText>& settings) {
    std::vector<std::string> lines;
    for (const KeyText& setting : settings)
        lines.push_back(fmt::format("{} = {}", setting.key, setting.text));
    return lines;
}

// As an experiment file has it, read again.
LayerKind read_toml(const LayerType& type, const std::vector<KeyText>& settings) {
    pipeline::Problems problems;
    std::string text = fmt::format("layer = {{ type = \"{}\"", type.word);
    for (const std::string& line : lines_of(settings)) text += ", " + line;
    const pipeline::Table file = pipeline::parse_toml(text + " }", "test.toml", problems);
    std::map<std::string, std::string> origins;
    pipeline::LayerReader reader(*file.find("layer"), "layers.0.", type, {problems, origins});
    LayerKind kind = reader.read();
    problems.throw_if_any();
    return kind;
}

// As Keras' files have it, read again.
LayerKind read_keras(const LayerType& type, const LayerKind& kind) {
    trainer::LayerShape shape;
    shape.input = {8, 8, 3, false};
    const auto json = pipeline::keras_layer_config({"name", kind}, shape);
    // The class by its word: Keras' own rule the other way round.
    for (const char* name : {"Conv2D",
                             "DepthwiseConv2D",
                             "SeparableConv2D",
                             "MaxPooling2D",
                             "AveragePooling2D",
                             "BatchNormalization",
                             "LayerNormalization",
                             "Dropout",
                             "SpatialDropout2D",
                             "Flatten",
                             "Dense",
                             "Activation",
                             "GlobalAveragePooling2D",
                             "GlobalMaxPooling2D",
                             "Add",
                             "Multiply",
                             "Concatenate",
                             "ZeroPadding2D",
                             "UpSampling2D",
                             "Rescaling"}) {
        if (storage::snake_case(name) != type.word) continue;
        std::vector<std::string> problems;
        const auto read = pipeline::read_keras_layer(name, json, problems);
        CAPTURE(problems, json.dump());
        CHECK(problems.empty());
        REQUIRE(read);
        return *read;
    }
    FAIL(std::string(type.word) << " has no class in Keras");
    return {};
}

trainer::InitializerConfig read_keras_initializer(const LayerType& dense, const LayerKind& kind) {
    return std::get<trainer::DenseConfig>(read_keras(dense, kind)).kernel_initializer;
}

}  // namespace

TEST_CASE("all keys of all layers survive an experiment file", "[layer_keys]") {
    for (const LayerType& type : pipeline::layer_types()) {
        CAPTURE(std::string(type.word));
        const LayerKind kind = changed(type);
        const std::vector<KeyText> settings = pipeline::settings_of(kind);
        CHECK(lines_of(pipeline::settings_of(read_toml(type, settings))) == lines_of(settings));
        // What is written at least says the same.
        const LayerKind again = read_toml(type, pipeline::written_settings_of(kind));
        CHECK(lines_of(pipeline::settings_of(again)) == lines_of(settings));
        // Of a layer that is as by default only what it needs is written.
        for (const KeyText& setting : pipeline::written_settings_of(type.kind)) {
            CAPTURE(std::string(setting.key));
            const auto needed = {"filters", "units", "kernel_size", "rate", "activation", "scale"};
            CHECK(std::ranges::count(needed, setting.key) == 1);
        }
    }
}

TEST_CASE("strides of a pool are written where they are not its size", "[layer_keys]") {
    const auto written = [](std::array<int, 2> size, std::array<int, 2> strides) {
        return lines_of(pipeline::written_settings_of(
            trainer::PoolingConfig{.pool_size = size, .strides = strides}));
    };
    CHECK(written({2, 2}, {2, 2}).empty());
    CHECK(written({3, 3}, {3, 3}) == std::vector<std::string>{"pool_size = [3, 3]"});
    CHECK(written({3, 3}, {2, 2}) ==
          std::vector<std::string>{"pool_size = [3, 3]", "strides = [2, 2]"});
}

TEST_CASE("all keys of all layers survive Keras' files", "[layer_keys]") {
    for (const LayerType& type : pipeline::layer_types()) {
        CAPTURE(std::string(type.word));
        const LayerKind kind = changed(type);
        CHECK(lines_of(pipeline::settings_of(read_keras(type, kind))) ==
              lines_of(pipeline::settings_of(kind)));
    }
}

TEST_CASE("all initializers survive both", "[layer_keys]") {
    const LayerKind plain_dense = trainer::DenseConfig{};
    const LayerType& dense = pipeline::type_of(plain_dense);
    for (const auto& word : pipeline::kInitializers) {
        CAPTURE(std::string(word.word));
        const LayerKind kind = changed(dense, word.value);
        const auto lines = lines_of(pipeline::settings_of(kind));
        CHECK(lines_of(pipeline::settings_of(read_toml(dense, pipeline::settings_of(kind)))) ==
              lines);
        if (word.value == Initializer::dirac || word.value == Initializer::patch_whitening)
            CHECK(read_keras_initializer(dense, kind) == Initializer::zeros);  // Keras has neither
        else
            CHECK(lines_of(pipeline::settings_of(read_keras(dense, kind))) == lines);
    }
}

TEST_CASE("what an initializer does not take is refused", "[layer_keys]") {
    const auto of = [](const std::string& initializer) {
        return problem_in(std::string(kHead) +
                          "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, { type = "
                          "\"dense\", units = 10, kernel_initializer = " +
                          initializer + " }]\n");
    };
    CHECK(of("{ name = \"constant\", value = 0.5 }").empty());
    CHECK(contains(of("{ name = \"constant\", gain = 0.5 }"), "constant takes no gain"));
    CHECK(contains(of("{ value = 0.5 }"), "kernel_initializer needs a name"));
    CHECK(contains(of("{ name = \"orthogonl\" }"), "orthogonal"));
    CHECK(contains(of("{ name = \"random_normal\", stddev = 0 }"), "above 0"));
}

TEST_CASE("a kernel of patches is told what it can be", "[layer_keys]") {
    const auto of = [](const std::string& first, const std::string& rest = "") {
        return problem_in(std::string(kHead) + "[[run]]\nname = \"a\"\nlayers = [" + first + ", " +
                          rest + "{ type = \"flatten\" }, { type = \"dense\", units = 10 }]\n");
    };
    const auto conv = [](const std::string& keys, const std::string& arguments = "") {
        return "{ type = \"conv2d\", kernel_initializer = { name = \"patch_whitening\"" +
               arguments + " }, " + keys + " }";
    };
    const std::string good = conv("filters = 24, kernel_size = 2");
    CHECK(of(good).empty());
    CHECK(
        of(conv("filters = 54, kernel_size = 3, padding = \"same\", strides = 2", ", images = 10"))
            .empty());
    CHECK(contains(of(conv("filters = 32, kernel_size = 2")), "set filters to 24, not 32"));
    CHECK(contains(of(conv("filters = 24, kernel_size = 2", ", images = 0.5")), "images must be"));
    CHECK(contains(of(conv("filters = 24, kernel_size = 2", ", images = 1.5")),
                   "a whole number of images, not 1.5"));
    CHECK(contains(of(conv("filters = 24, kernel_size = 2", ", epsilon = 0")), "epsilon must be"));
    CHECK(contains(of(conv("filters = 24, kernel_size = 2", ", gain = 1")),
                   "patch_whitening takes no gain"));
    CHECK(contains(of(conv("filters = 486, kernel_size = 9")), "at most 192 values"));
    CHECK(contains(of(conv("filters = 24, kernel_size = 2, dilation_rate = 2")), "without groups"));
    CHECK(contains(of("{ type = \"max_pooling2d\" }", good + ", "), "make it the first one"));
    CHECK(of("{ type = \"conv2d\", name = \"other\", filters = 24, kernel_size = 2 }",
             "{ name = \"c\", inputs = \"input\", " + good.substr(2) +
                 ", { type = \"add\", inputs = [\"c\", \"other\"] }, ")
              .empty());
    CHECK(contains(of("{ type = \"depthwise_conv2d\", kernel_size = 2, depthwise_initializer = "
                      "\"patch_whitening\" }"),
                   "not this"));
    CHECK(contains(of("{ type = \"conv2d\", filters = 24, kernel_size = 2, bias_initializer = "
                      "\"dirac\" }"),
                   "not this bias"));
    CHECK(contains(of("{ type = \"conv2d\", filters = 24, kernel_size = 2, groups = 3, "
                      "kernel_initializer = \"dirac\" }"),
                   "without groups"));
}

TEST_CASE("tensors of a few epochs are those that the layer has", "[layer_keys]") {
    const auto of = [](const std::string& value) {
        return problem_in(std::string(kHead) +
                          "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, { type = "
                          "\"dense\", units = 10, trainable_epochs = " +
                          value + " }]\n");
    };
    CHECK(of("{ kernel = 0, bias = 3 }").empty());
    CHECK(contains(of("{ gamma = 3 }"), "it has no gamma, which its trainable_epochs name"));
    CHECK(contains(of("{ biass = 3 }"), "did you mean \"bias\""));
    CHECK(contains(of("{ bias = -1 }"), "bias must be"));
    CHECK(contains(of("3"), "trainable_epochs must be a table"));
}

TEST_CASE("zero padding is a number, a pair or two pairs", "[layer_keys]") {
    const auto borders = [](const std::string& padding) {
        const LayerKind plain_zeros = trainer::ZeroPadding2dConfig{};
        const LayerType& type = pipeline::type_of(plain_zeros);
        const auto kind = read_toml(type, {KeyText{"padding", padding}});
        const auto& zeros = std::get<trainer::ZeroPadding2dConfig>(kind);
        return std::array{zeros.vertical[0], zeros.vertical[1], zeros.horizontal[0],
                          zeros.horizontal[1]};
    };
    CHECK(borders("2") == std::array{2, 2, 2, 2});
    CHECK(borders("[1, 3]") == std::array{1, 1, 3, 3});
    CHECK(borders("[[0, 1], [2, 3]]") == std::array{0, 1, 2, 3});
    CHECK_THROWS(borders("[1, 2, 3]"));
    CHECK_THROWS(borders("-1"));
}
