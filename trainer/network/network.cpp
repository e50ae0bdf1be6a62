#include "trainer/network/network.hpp"

#include <algorithm>

#include "trainer/layers/activation.hpp"
#include "trainer/layers/relayout.hpp"
#include "trainer/layers/separable.hpp"
#include "trainer/network/fusions.hpp"

namespace lockstep::trainer {

namespace {

// What a layer made: a value of the graph, and the layout in which its readers see it.
struct Made {
    std::size_t value = 0;
    Layout layout;
};

// How the input lies for layers that take it as it comes: pixels of few channels as convolutions
// read them, anything else in Keras' order.
Layout input_layout(const LayerConfig& first, const Shape& input) {
    constexpr int kFewChannels = 4;
    const bool is_vector = input.is_flat || std::holds_alternative<FlattenConfig>(first.kind);
    return is_vector || input.channels > kFewChannels ? interleaved(input) : planes(input);
}

// How many layers read each value.
std::vector<std::size_t> readers_of(const Architecture& architecture) {
    std::vector<std::size_t> readers(architecture.layers.size() + 1, 0);
    for (const LayerShape& layer : architecture.layers)
        for (const ValueNumber source : layer.sources) ++readers[source];
    return readers;
}

// The places of the tensors that were declared from then on.
class TensorsSince {
public:
    explicit TensorsSince(const Parameters& parameters)
        : parameters_(parameters),
          trained_(parameters.trainable_size()),
          constant_(parameters.constant_size()) {}

    TensorRange trained() const { return {trained_, parameters_.trainable_size() - trained_}; }
    TensorRange constant() const { return {constant_, parameters_.constant_size() - constant_}; }

private:
    const Parameters& parameters_;
    std::size_t trained_, constant_;
};

// Layers to nodes, one after another.
class GraphMaker {
public:
    GraphMaker(std::span<const LayerConfig> layers, const Architecture& architecture,
               bool wants_diff_input, Graph& graph, ComputeEngine& engine, Parameters& parameters)
        : readers_(readers_of(architecture)),
          made_(layers.size() + 1),
          graph_(graph),
          engine_(engine),
          parameters_(parameters) {
        for (std::size_t i = 0; i < layers.size(); ++i)
            settings_.push_back({.config = layers[i],
                                 .shape = architecture.layers[i],
                                 .index = static_cast<std::uint32_t>(i),
                                 .is_last = i + 1 == layers.size(),
                                 .needs_diff_src = wants_diff_input});
        made_[0].layout = input_layout(layers.front(), architecture.input);
        for (std::size_t i = 0; i < layers.size();) i += make(i, wants_diff_input);
    }

    // The loss reads one row of classes a sample: a flatten at the very end may have left them
    // elsewhere, with padding between.
    void end_in_rows(int classes) { bring(made_.back(), interleaved({1, 1, classes, true})); }

private:
    // Returns for how many layers the node stands.
    std::size_t make(std::size_t first, bool wants_diff_input) {
        const std::vector<ValueNumber>& sources = settings_[first].shape.sources;
        if (first > 0) settings_[first].needs_diff_src = needs_diff(sources);
        std::vector<Layout> layouts;
        for (const ValueNumber source : sources) layouts.push_back(made_[source].layout);
        const TensorsSince tensors(parameters_);
        MadeLayer made = make_longest(std::span(settings_).subspan(first, chain_from(first)),
                                      layouts, engine_, parameters_);
        std::unique_ptr<Layer>& layer = made.layer;
        // The input is written as the first layer wants it.
        if (first == 0) made_[0] = {graph_.add_input(layer->src(), wants_diff_input), layer->src()};
        Made& result = made_[first + made.count];
        if (layer->is_identity()) {
            result = {made_[sources.front()].value, layer->dst()};
            return made.count;
        }
        Node node{.name = settings_[first].config.name,
                  .layer = nullptr,
                  .src = {},
                  .trained = tensors.trained(),
                  .constant = tensors.constant()};
        for (std::size_t i = 0; i < sources.size(); ++i)
            node.src.push_back(bring(made_[sources[i]], layer->src(i)));
        node.layer = std::move(layer);
        result.value = graph_.add(std::move(node));
        add_pointwise(settings_[first], result.value);
        add_activation(settings_[first + made.count - 1].config, result.value);
        result.layout = graph_.values()[result.value].layout;
        return made.count;
    }

    // The second half of a separable convolution is a node of its own.
    void add_pointwise(const LayerSetting& setting, std::size_t& value) {
        if (!std::holds_alternative<SeparableConv2dConfig>(setting.config.kind)) return;
        const TensorsSince tensors(parameters_);
        std::unique_ptr<Layer> layer = make_pointwise(setting, engine_, parameters_);
        const std::size_t src = bring({value, graph_.values()[value].layout}, layer->src());
        value = graph_.add({.name = setting.config.name,
                            .layer = std::move(layer),
                            .src = {src},
                            .trained = tensors.trained(),
                            .constant = tensors.constant()});
    }

    // Behind a layer whose kernels leave its activation out.
    void add_activation(const LayerConfig& config, std::size_t& value) {
        const Activation activation = activation_behind(config);
        if (activation == Activation::linear) return;
        const Layout layout = graph_.values()[value].layout;
        value = graph_.add({.name = config.name,
                            .layer = std::make_unique<ActivationLayer>(activation, layout),
                            .src = {value}});
    }

    bool needs_diff(const std::vector<ValueNumber>& sources) const {
        return std::ranges::any_of(sources, [&](ValueNumber source) {
            return graph_.values()[made_[source].value].needs_diff;
        });
    }

    // How many layers from there on read the one in front alone, and are its only readers.
    std::size_t chain_from(std::size_t first) const {
        std::size_t end = first + 1;
        while (end < settings_.size() && readers_[end] == 1 &&
               settings_[end].shape.sources == std::vector<ValueNumber>{end})
            ++end;
        return end - first;
    }

    std::size_t bring(const Made& made, const Layout& layout) {
        if (made.layout == layout) return made.value;
        return graph_.add({.name = "relayout",
                           .layer = std::make_unique<RelayoutLayer>(made.layout, layout),
                           .src = {made.value}});
    }

    std::vector<LayerSetting> settings_;
    std::vector<std::size_t> readers_;
    std::vector<Made> made_;  // by number of the value
    Graph& graph_;
    ComputeEngine& engine_;
    Parameters& parameters_;
};

}  // namespace

Network::Network(std::span<const LayerConfig> layers, const Shape& input, int classes,
                 bool wants_diff_input)
    : classes_(classes) {
    const Architecture architecture = infer_shapes(layers, input, classes);
    GraphMaker(layers, architecture, wants_diff_input, graph_, engine_, parameters_)
        .end_in_rows(classes);
    parameters_.allocate();
}

}  // namespace lockstep::trainer
