#include "trainer/network/network.hpp"

#include <algorithm>
#include <stdexcept>

#include "trainer/layers/relayout.hpp"
#include "trainer/network/fusions.hpp"

namespace lockstep::trainer {

namespace {

// Where the layers so far have come to: a value, and the layout in which the next one sees it.
struct End {
    std::size_t value = 0;
    Layout layout;
};

void bring_into(Graph& graph, const Layout& layout, End& end) {
    if (end.layout == layout) return;
    end.value = graph.add({.name = "relayout",
                           .layer = std::make_unique<RelayoutLayer>(end.layout, layout),
                           .src = {end.value}});
    end.layout = layout;
}

// How the input lies for layers that take it as it comes: pixels of few channels as convolutions
// read them, anything else in Keras' order.
Layout input_layout(const LayerConfig& first, const Shape& input) {
    constexpr int kFewChannels = 4;
    const bool is_vector = input.is_flat || std::holds_alternative<FlattenConfig>(first.kind);
    return is_vector || input.channels > kFewChannels ? interleaved(input) : planes(input);
}

}  // namespace

Network::Network(std::span<const LayerConfig> layers, const Shape& input, int classes,
                 bool wants_diff_input)
    : classes_(classes) {
    const Architecture architecture = infer_shapes(layers, input, classes);
    std::vector<LayerSetting> settings;
    for (std::size_t i = 0; i < layers.size(); ++i)
        settings.push_back({.config = layers[i],
                            .shape = architecture.layers[i],
                            .index = static_cast<std::uint32_t>(i),
                            .is_last = i + 1 == layers.size(),
                            .needs_diff_src = wants_diff_input});
    End end{.value = 0, .layout = input_layout(layers.front(), input)};
    for (std::size_t i = 0; i < layers.size();) {
        if (i > 0) settings[i].needs_diff_src = graph_.values()[end.value].needs_diff;
        const std::size_t gradient = parameters_.trainable_size();
        MadeLayer made =
            make_longest(std::span(settings).subspan(i), end.layout, engine_, parameters_);
        std::unique_ptr<Layer>& layer = made.layer;
        // The input is written as the first layer wants it.
        if (i == 0) end = {graph_.add_input(layer->src(), wants_diff_input), layer->src()};
        if (!layer->is_identity()) {
            bring_into(graph_, layer->src(), end);
            end.value = graph_.add({.name = layers[i].name,
                                    .layer = std::move(layer),
                                    .src = {end.value},
                                    .first_gradient = gradient,
                                    .gradient_floats = parameters_.trainable_size() - gradient});
            end.layout = graph_.values()[end.value].layout;
        } else {
            end.layout = layer->dst();
        }
        i += made.count;
    }
    // The loss reads one row of classes a sample: a flatten at the very end may have left them
    // elsewhere, with padding between.
    bring_into(graph_, interleaved({1, 1, classes, true}), end);
    parameters_.allocate();
}

namespace {

// A gradient that no consumer computes would be read all the same.
bool has_one_end(const std::vector<Value>& values) {
    return !values.empty() && std::all_of(values.begin(), values.end() - 1, [](const Value& value) {
        return !value.consumers.empty();
    });
}

}  // namespace

Network::Network(const BuildGraph& build, int classes) : classes_(classes) {
    build(graph_, engine_, parameters_);
    if (!has_one_end(graph_.values()) || output() != interleaved({1, 1, classes, true}))
        throw std::logic_error("a network ends in one value, rows of its classes");
    parameters_.allocate();
}

}  // namespace lockstep::trainer
