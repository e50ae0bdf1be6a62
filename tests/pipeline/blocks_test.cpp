// Layers that name their inputs, and blocks that stand for layers.
#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/keras/model_summary.hpp"
#include "pipeline/planning/effective_config.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

const std::string kEnd =
    "{ type = \"global_average_pooling2d\" },\n{ type = \"dense\", units = 10 },\n";

// A file whose only run has these layers; blocks come in front of it.
std::string file(const std::string& layers, const std::string& blocks = {}) {
    return std::string(kHead) + blocks + "[[run]]\nname = \"a\"\nlayers = [\n" + layers + "]\n";
}

pipeline::RunSpec run_of(const std::string& layers, const std::string& blocks = {}) {
    return read(file(layers, blocks)).runs.at(0);
}

std::vector<std::string> names_of(const pipeline::RunSpec& run) {
    std::vector<std::string> names;
    for (const auto& layer : run.config.layers) names.push_back(layer.name);
    return names;
}

std::vector<std::string> sources_of_layer(const pipeline::RunSpec& run, const std::string& name) {
    const auto& layers = run.config.layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i].name != name) continue;
        std::vector<std::string> names;
        for (const auto source : trainer::sources_of(layers, i))
            names.push_back(source == 0 ? "input" : layers[source - 1].name);
        return names;
    }
    return {"no such layer"};
}

std::string id_of(const pipeline::RunSpec& run) { return pipeline::effective_config(run).digest; }

const std::string kConv =
    "{ type = \"conv2d\", filters = 4, kernel_size = 3, padding = \"same\" },\n";

const std::string kResidual = R"([block.residual]
defaults = { kernel_size = 3 }
layers = [
  { name = "first", type = "conv2d", filters = "$filters", kernel_size = "$kernel_size", padding = "same" },
  { type = "conv2d", filters = "$filters", kernel_size = ["$kernel_size", "$kernel_size"], padding = "same" },
  { type = "add", inputs = ["conv2d", "input"] },
]
)";

}  // namespace

TEST_CASE("a layer reads the one in front, or those that it names", "[spec][graph]") {
    const auto run =
        run_of(kConv + kConv + "{ type = \"add\", inputs = [\"conv2d_1\", \"conv2d\"] },\n" +
               "{ type = \"concatenate\", inputs = [\"add\", \"input\"] },\n" + kEnd);
    using Sources = std::vector<trainer::ValueNumber>;
    CHECK(run.config.layers[0].sources.empty());
    CHECK(run.config.layers[2].sources == Sources{2, 1});
    CHECK(run.config.layers[3].sources == Sources{3, 0});
    CHECK(run.architecture.layers[3].output.channels == 4 + 3);
    CHECK(run.architecture.layers[5].input.channels == 7);
}

TEST_CASE("what is written out and what is understood are one run", "[spec][graph]") {
    const auto with = [](const std::string& inputs) {
        return run_of("{ type = \"conv2d\", filters = 4, kernel_size = 3" + inputs + " },\n" +
                      kEnd);
    };
    CHECK(id_of(with("")) == id_of(with(", inputs = \"input\"")));
    CHECK(id_of(with("")) == id_of(with(", inputs = [\"input\"]")));
}

TEST_CASE("inputs that there are not are told", "[spec][graph]") {
    const auto error = [](const std::string& layer) {
        return problem_in(
            file(kConv + layer + "{ type = \"flatten\" }, { type = \"dense\", units = 10 },\n"));
    };
    CHECK(contains(error("{ type = \"add\", inputs = [\"conv2\", \"input\"] },\n"),
                   "no layer in front of it is named \"conv2\"; did you mean \"conv2d\"?"));
    // Not itself, and none behind it.
    CHECK(contains(error("{ type = \"add\", inputs = [\"add\", \"conv2d\"] },\n"),
                   "no layer in front of it is named \"add\""));
    CHECK(contains(error("{ type = \"flatten\", inputs = \"dense\" },\n"),
                   "no layer in front of it is named \"dense\""));
    CHECK(contains(error("{ type = \"add\" },\n"), "a layer add needs inputs"));
    CHECK(contains(error("{ type = \"add\", inputs = [] },\n"), "1 to 100 names of layers"));
    CHECK(contains(error("{ type = \"add\", inputs = [1, 2] },\n"), "inputs are names of layers"));
    CHECK(contains(error("{ type = \"add\", inputs = [\"conv2d\", \"input\"] },\n"),
                   "(None, 32, 32, 4) and (None, 32, 32, 3) differ"));
    CHECK(contains(error("{ type = \"flatten\", inputs = [\"conv2d\", \"input\"] },\n"),
                   "it takes one"));
    CHECK(contains(error("{ type = \"flatten\", name = \"input\" },\n"), "the name \"input\""));
    CHECK(contains(error("{ type = \"flatten\", inputs = \"input\" },\n"),
                   "no layer reads layer \"conv2d\""));
}

TEST_CASE("a block stands for its layers", "[spec][graph]") {
    const auto run = run_of(
        "{ type = \"conv2d\", filters = 4, kernel_size = 1 },\n"
        "{ block = \"residual\", filters = 4, name = \"stage\", repeat = 2 },\n"
        "{ block = \"residual\", filters = 4, kernel_size = 1 },\n"
        "{ type = \"add\", inputs = [\"residual\", \"stage\"] },\n" +
            kEnd,
        kResidual);
    CHECK(names_of(run) ==
          std::vector<std::string>{"conv2d", "stage_1_first", "stage_1_conv2d", "stage_1_add",
                                   "stage_2_first", "stage_2_conv2d", "stage_2_add",
                                   "residual_first", "residual_conv2d", "residual_add", "add",
                                   "global_average_pooling2d", "dense"});
    using Sources = std::vector<trainer::ValueNumber>;
    CHECK(run.config.layers[3].sources == Sources{3, 1});
    CHECK(run.config.layers[6].sources == Sources{6, 4});
    CHECK(run.config.layers[10].sources == Sources{10, 7});
    const auto& conv = std::get<trainer::Conv2dConfig>(run.config.layers[2].kind);
    CHECK(conv.kernel_size == std::array{3, 3});
    // The same as its layers written out.
    const std::string written =
        "{ type = \"conv2d\", filters = 4, kernel_size = 1 },\n"
        "{ name = \"x_first\", type = \"conv2d\", filters = 4, kernel_size = 3, padding = \"same\" "
        "},\n"
        "{ name = \"x_conv2d\", type = \"conv2d\", filters = 4, kernel_size = [3, 3], padding = "
        "\"same\" },\n"
        "{ name = \"x_add\", type = \"add\", inputs = [\"x_conv2d\", \"conv2d\"] },\n";
    CHECK(id_of(run_of(written + kEnd)) ==
          id_of(run_of("{ type = \"conv2d\", filters = 4, kernel_size = 1 },\n"
                       "{ block = \"residual\", filters = 4, name = \"x\" },\n" +
                           kEnd,
                       kResidual)));
}

TEST_CASE("blocks in blocks, and a block that reads another layer", "[spec][graph]") {
    const std::string blocks = kResidual + R"([block.stage]
layers = [
  { block = "residual", filters = "$width", repeat = 2 },
  { type = "conv2d", name = "other", inputs = "input", filters = "$width", kernel_size = 1 },
  { block = "residual", name = "side", inputs = "residual", filters = "$width" },
  { type = "concatenate", inputs = ["side", "other"] },
]
)";
    const auto run = run_of(
        "{ type = \"conv2d\", filters = 8, kernel_size = 1 },\n"
        "{ block = \"stage\", width = 8 },\n" +
            kEnd,
        blocks);
    using Names = std::vector<std::string>;
    CHECK(sources_of_layer(run, "stage_residual_1_first") == Names{"conv2d"});
    CHECK(sources_of_layer(run, "stage_residual_2_first") == Names{"stage_residual_1_add"});
    CHECK(sources_of_layer(run, "stage_other") == Names{"conv2d"});
    CHECK(sources_of_layer(run, "stage_side_first") == Names{"stage_residual_2_add"});
    CHECK(sources_of_layer(run, "stage_side_add") ==
          Names{"stage_side_conv2d", "stage_residual_2_add"});
    CHECK(sources_of_layer(run, "stage_concatenate") == Names{"stage_side_add", "stage_other"});
}

TEST_CASE("layers of blocks are set and swept by their names", "[spec][graph]") {
    const auto run = read(file("{ type = \"conv2d\", filters = 4, kernel_size = 1 },\n"
                               "{ block = \"residual\", filters = 4 },\n" +
                                   kEnd,
                               kResidual),
                          {"layers.residual_first.kernel_size=5"})
                         .runs.at(0);
    CHECK(std::get<trainer::Conv2dConfig>(run.config.layers[1].kind).kernel_size ==
          std::array{5, 5});
}

TEST_CASE("what is wrong with a block points at it and at its use", "[spec][graph]") {
    const auto error = [](const std::string& use, const std::string& block = kResidual) {
        return problem_in(file(use + kEnd, block));
    };
    CHECK(contains(error("{ block = \"residul\", filters = 4 },\n"),
                   "there is no [block.residul]; did you mean \"residual\"?"));
    CHECK(contains(error("{ block = \"residual\" },\n"), "block \"residual\" needs \"filters\""));
    CHECK(contains(error("{ block = \"residual\", filtres = 4, filters = 3 },\n"),
                   "block \"residual\" has no parameter \"filtres\"; did you mean \"filters\"?"));
    CHECK(contains(error("{ block = \"residual\", filters = 3, repeat = 0 },\n"),
                   "repeat must be a whole number from 1 to 1000, not 0"));
    CHECK(contains(error("{ block = \"residual\", filters = 3, inputs = \"nobody\" },\n"),
                   "no layer in front of it is named \"nobody\""));
    // A value of the use is wrong at the use, what the block says at the block.
    const std::string zero = "{ block = \"residual\", filters = 0 },\n";
    const std::string text = file(zero + kEnd, kResidual);
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find(zero)),
                   '\n') +
        1;
    CHECK(contains(error(zero), "exp.toml:" + std::to_string(line) + ":"));
    CHECK(contains(
        error("{ block = \"b\" },\n",
              "[block.b]\nlayers = [{ type = \"conv2d\", filtrs = 4, kernel_size = 3 }]\n"),
        "(block \"b\", used at line "));
    CHECK(contains(error("{ block = \"b\" },\n", "[block.b]\nlayers = [{ block = \"b\" }]\n"),
                   "block \"b\" uses itself"));
    CHECK(
        contains(error("{ block = \"b\" },\n",
                       "[block.b]\nlayers = [{ type = \"add\", inputs = [\"input\", \"far\"] }]\n"),
                 "no layer in front of it in the block is named \"far\""));
    CHECK(contains(error("", "[block.b]\nlayers = []\n"), "[block.b] needs layers"));
    CHECK(
        contains(error("", "[block.b]\ndefaults = { x = 1 }\nlayers = [{ type = \"flatten\" }]\n"),
                 "no layer of the block uses \"$x\""));
    CHECK(contains(error("", "[block.b]\nlayer = 1\nlayers = [{ type = \"flatten\" }]\n"),
                   "unknown key \"layer\" in [block.b]"));
}

TEST_CASE("one mistake in a block, or in a use, is told once", "[spec][graph]") {
    const std::string twice = "{ block = \"b\" },\n{ block = \"b\" },\n";
    const std::string far =
        "[block.b]\nlayers = [{ type = \"add\", inputs = [\"input\", \"far\"] }]\n";
    CHECK(problems_in(file(twice + kEnd, far)).size() == 1);
    // Neither its name nor the sizes of what it would have made are missed.
    const std::string use = kConv +
                            "{ block = \"halv\", name = \"half\" },\n"
                            "{ type = \"add\", inputs = [\"half\", \"input\"] },\n";
    CHECK(problems_in(file(use + kEnd, kResidual)).size() == 1);
}

TEST_CASE("the summary says what is connected to what, but not of a chain", "[spec][graph]") {
    const auto graph =
        run_of(kConv + "{ type = \"concatenate\", inputs = [\"conv2d\", \"input\"] },\n" + kEnd);
    const std::string summary = pipeline::model_summary("a", graph.architecture);
    CHECK(contains(summary, "Connected to"));
    CHECK(contains(summary, "conv2d, input"));
    CHECK_FALSE(
        contains(pipeline::model_summary("a", run_of(kConv + kEnd).architecture), "Connected to"));
}

// As Keras 3.16 lists the layers of the same model: model.layers, after the InputLayer.
TEST_CASE("layers stand in Keras' order, whatever that of the file", "[spec][graph]") {
    const auto run = run_of(
        R"(  { type = "conv2d", name = "stem", filters = 4, kernel_size = 3, padding = "same" },
  { type = "conv2d", name = "shortcut", filters = 6, kernel_size = 1, inputs = "stem" },
  { type = "conv2d", name = "first", filters = 6, kernel_size = 3, padding = "same", inputs = "stem" },
  { type = "batch_normalization", name = "norm" },
  { type = "conv2d", name = "second", filters = 6, kernel_size = 3, padding = "same" },
  { type = "add", name = "sum", inputs = ["second", "shortcut"] },
)" + kEnd);
    CHECK(names_of(run) == std::vector<std::string>{"stem", "first", "norm", "second", "shortcut",
                                                    "sum", "global_average_pooling2d", "dense"});
    using Sources = std::vector<trainer::ValueNumber>;
    CHECK(run.config.layers[4].sources == Sources{1});
    CHECK(run.config.layers[5].sources == Sources{4, 5});
    CHECK(run.config.layers[1].sources.empty());
    CHECK(run.architecture.layers[4].name == "shortcut");
    // Lines of the file go with their layers.
    const auto lines = pipeline::effective_config(run).values;
    const auto origin_of = [&](const std::string& key) {
        for (const auto& value : lines)
            if (value.key == key) return value.origin;
        return std::string("none");
    };
    const auto line = [&](const std::string& key) { return std::stoi(origin_of(key).substr(9)); };
    CHECK(line("layers.4.filters") == line("layers.0.filters") + 1);
    CHECK(line("layers.1.filters") == line("layers.0.filters") + 2);
}
