// Networks as graphs to draw.

#include "reports/figures/network_graph.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "reports/charts/network_drawing.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using Lines = std::vector<std::string>;
using Places = std::vector<std::size_t>;

// As a store keeps it: a layer's keys behind a header of its own.
std::vector<NetworkNode> graph_of(const std::vector<std::string>& layers) {
    std::string text = "[[run]]\nname = \"a\"\n";
    for (const std::string& layer : layers) text += "\n[[run.layers]]\n" + layer;
    return network_graph(config_values(text));
}

std::string layer(const std::string& type, const std::string& name, const std::string& more = "") {
    return "type = \"" + type + "\"  # a\nname = \"" + name + "\"  # a\n" + more;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

const std::vector<std::string> kResidual{
    layer("conv2d", "c", "filters = 8\nkernel_size = [3, 3]\nstrides = [1, 1]\n"),
    layer("activation", "r", "activation = \"relu\"\n"),
    layer("conv2d", "d",
          "filters = 8\nkernel_size = [3, 5]\nstrides = [2, 1]\nactivation = \"relu\"\n"),
    layer("batch_normalization", "b"),
    layer("add", "s", "inputs = [\"b\", \"r\"]\n"),
    layer("dense", "e", "units = 10\nactivation = \"linear\"\n")};

}  // namespace

TEST_CASE("a chain is no graph to draw", "[network_graph]") {
    CHECK(graph_of({layer("flatten", "f"), layer("dense", "d", "units = 10\n")}).empty());
    CHECK(graph_of({}).empty());
    CHECK(network_drawing({}, "none").empty());
}

TEST_CASE("layers in a row are one node", "[network_graph]") {
    const auto nodes = graph_of(kResidual);
    REQUIRE(nodes.size() == 4);
    CHECK(nodes[0].lines == Lines{"input"});
    CHECK(nodes[1].lines == Lines{"conv2d 8, 3x3", "relu"});
    CHECK(nodes[1].sources == Places{0});
    CHECK(nodes[2].lines == Lines{"conv2d 8, 3x5, strides 2x1, relu", "batch_normalization"});
    CHECK(nodes[2].sources == Places{1});
    CHECK(nodes[3].lines == Lines{"add", "dense 10"});
    CHECK(nodes[3].sources == Places{2, 1});
    CHECK(nodes[3].depth == 3);
}

TEST_CASE("a drawing has every node, every layer and every connection", "[network_graph]") {
    const auto nodes = graph_of(kResidual);
    const std::string svg = network_drawing(nodes, "A <network>");
    CHECK(count_of(svg, "<rect ") == 4);
    CHECK(count_of(svg, "<text ") == 7);
    CHECK(count_of(svg, "class=\"edge\"") == 4);
    CHECK(svg.find("A &lt;network&gt;") != std::string::npos);
    CHECK(svg == network_drawing(nodes, "A <network>"));
}

}  // namespace lockstep::reports
