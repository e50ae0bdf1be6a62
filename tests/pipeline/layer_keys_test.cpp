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
