// The graph by itself: who reads what, who wants a gradient, and who may apply a ReLU's.
#include "trainer/network/graph.hpp"

#include <memory>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

namespace {

const Layout kLayout = interleaved({1, 1, 4, true});

struct Ability {
    bool makes_relu = false;
    bool can_mask_src_relu = false;
    std::size_t trained_floats = 0;
};

class StubLayer : public Layer {
public:
    explicit StubLayer(const Ability& ability) : Layer(kLayout, kLayout), ability_(ability) {}
    bool makes_relu() const override { return ability_.makes_relu; }
    bool can_mask_src_relu() const override { return ability_.can_mask_src_relu; }
    void bind(PassBuilder&) const override {}

private:
    Ability ability_;
};

constexpr Ability kRelu{.makes_relu = true}, kMasks{.can_mask_src_relu = true}, kNeither{},
    kTrained{.trained_floats = 1};

std::size_t add(Graph& graph, const Ability& ability, std::vector<std::size_t> src) {
    return graph.add({.name = "stub",
                      .layer = std::make_unique<StubLayer>(ability),
                      .src = std::move(src),
                      .trained = {.first = 0, .floats = ability.trained_floats}});
}

// Of the node that makes a value.
const Node& node(const Graph& graph, std::size_t value) {
    return graph.nodes()[*graph.values()[value].producer];
}
bool masks(const Graph& graph, std::size_t value) {
    return graph.masks_src_relu(node(graph, value));
}
bool is_masked(const Graph& graph, std::size_t value) {
    return graph.is_diff_dst_masked(node(graph, value));
}

}  // namespace

TEST_CASE("a ReLU's gradient is left to its only reader, if this can", "[trainer][plan]") {
    for (const Ability& maker : {kRelu, kNeither})
        for (const Ability& reader : {kMasks, kNeither}) {
            Graph graph;
            const std::size_t made = add(graph, maker, {graph.add_input(kLayout, true)});
            const std::size_t read = add(graph, reader, {made});
            const bool expected = maker.makes_relu && reader.can_mask_src_relu;
            CAPTURE(maker.makes_relu, reader.can_mask_src_relu);
            CHECK(masks(graph, read) == expected);
            CHECK(is_masked(graph, made) == expected);
            CHECK_FALSE(masks(graph, made));
            CHECK_FALSE(is_masked(graph, read));
        }
}

TEST_CASE("a ReLU that two read is masked by neither", "[trainer][plan]") {
    for (const Ability& other : {kMasks, kNeither}) {
        Graph graph;
        const std::size_t made = add(graph, kRelu, {graph.add_input(kLayout, true)});
        const std::size_t first = add(graph, kMasks, {made});
        const std::size_t second = add(graph, other, {made});
        CHECK_FALSE(masks(graph, first));
        CHECK_FALSE(masks(graph, second));
        CHECK_FALSE(is_masked(graph, made));
    }
}

TEST_CASE("a ReLU is not masked by who reads it twice, or others too", "[trainer][plan]") {
    Graph graph;
    const std::size_t input = graph.add_input(kLayout, true);
    const std::size_t twice = add(graph, kRelu, {input}), one = add(graph, kRelu, {input}),
                      two = add(graph, kRelu, {input});
    CHECK_FALSE(masks(graph, add(graph, kMasks, {twice, twice})));
    CHECK_FALSE(is_masked(graph, twice));
    CHECK_FALSE(masks(graph, add(graph, kMasks, {one, two})));
    CHECK_FALSE(is_masked(graph, one));
    CHECK_FALSE(is_masked(graph, two));
}

TEST_CASE("the input and the output are nobody's ReLU", "[trainer][plan]") {
    Graph graph;
    const std::size_t made = add(graph, {.makes_relu = true, .can_mask_src_relu = true},
                                 {graph.add_input(kLayout, true)});
    CHECK_FALSE(masks(graph, made));
    CHECK_FALSE(is_masked(graph, made));
}

TEST_CASE("a value wants a gradient if anything in front of it is trained", "[trainer][plan]") {
    for (const bool wants_diff_input : {false, true}) {
        Graph graph;
        const std::size_t input = graph.add_input(kLayout, wants_diff_input);
        const std::size_t plain = add(graph, kNeither, {input});
        const std::size_t trained = add(graph, kTrained, {input});
        const std::size_t behind = add(graph, kNeither, {trained});
        const std::size_t sum = add(graph, kNeither, {plain, behind});
        const auto needs_diff = [&](std::size_t value) { return graph.values()[value].needs_diff; };
        CHECK(needs_diff(input) == wants_diff_input);
        CHECK(needs_diff(plain) == wants_diff_input);
        CHECK(needs_diff(trained));
        CHECK(needs_diff(behind));
        CHECK(needs_diff(sum));
    }
}

TEST_CASE("a value's readers: each once for every time it reads", "[trainer][plan]") {
    Graph graph;
    const std::size_t input = graph.add_input(kLayout, false);
    const std::size_t first = add(graph, kNeither, {input});
    const std::size_t sum = add(graph, kNeither, {input, first, input});
    using Nodes = std::vector<std::size_t>;
    CHECK(graph.values()[input].consumers == Nodes{0, 1, 1});
    CHECK(graph.values()[first].consumers == Nodes{1});
    CHECK(graph.values()[sum].consumers.empty());
    CHECK_FALSE(graph.values()[input].producer.has_value());
    CHECK(graph.values()[sum].producer == 1);
}
