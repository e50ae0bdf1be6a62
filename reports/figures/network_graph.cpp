#include "reports/figures/network_graph.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace lockstep::reports {
namespace {

constexpr std::string_view kLayers = "layers.";

struct Layer {
    std::map<std::string, std::string> values;  // of its keys, as TOML

    std::string text(const std::string& key) const {
        const auto found = values.find(key);
        return found == values.end() ? std::string() : std::string(text_in(found->second));
    }
};

std::vector<Layer> layers_in(const std::vector<ConfigValue>& config) {
    std::vector<Layer> layers;
    std::string open;
    for (const ConfigValue& each : config) {
        if (!each.key.starts_with(kLayers)) continue;
        const std::size_t dot = each.key.find('.', kLayers.size());
        if (dot == std::string::npos) continue;
        const std::string prefix = each.key.substr(0, dot);
        if (prefix != open) layers.emplace_back();
        open = prefix;
        layers.back().values[each.key.substr(dot + 1)] = each.value;
    }
    return layers;
}

// "[3, 3]" -> "3x3"
std::string size_text(std::string value) {
    std::erase_if(value, [](char c) { return c == '[' || c == ']' || c == ' '; });
    std::ranges::replace(value, ',', 'x');
    return value;
}

// The type and what tells it from others of its type.
std::string line_of(const Layer& layer) {
    std::string line = layer.text("type");
    if (line == "activation") return layer.text("activation");
    std::vector<std::string> facts;
    for (const char* key : {"filters", "units", "rate"})
        if (const std::string value = layer.text(key); !value.empty()) facts.push_back(value);
    for (const char* key : {"kernel_size", "pool_size", "size"})
        if (const std::string value = layer.text(key); !value.empty())
            facts.push_back(size_text(value));
    const bool is_pool = line.find("pooling") != std::string::npos;
    const std::string strides = size_text(layer.text("strides"));
    const bool has_strides = !strides.empty() && strides != "1x1" &&
                             !(is_pool && strides == size_text(layer.text("pool_size")));
    if (has_strides) facts.push_back("strides " + strides);
    for (std::size_t i = 0; i < facts.size(); ++i) line += (i == 0 ? " " : ", ") + facts[i];
    const std::string activation = layer.text("activation");
    return activation.empty() || activation == "linear" ? line : line + ", " + activation;
}

// By value: 0 is the input, i + 1 what layer i makes.
std::vector<std::vector<std::size_t>> sources_of(const std::vector<Layer>& layers) {
    std::map<std::string, std::size_t> numbers{{"input", 0}};
    std::vector<std::vector<std::size_t>> sources;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        std::vector<std::size_t> of_layer;
        const auto inputs = layers[i].values.find("inputs");
        if (inputs != layers[i].values.end())
            for (const std::string& name : list_of_texts(inputs->second))
                if (numbers.contains(name)) of_layer.push_back(numbers.at(name));
        if (of_layer.empty()) of_layer.push_back(i);
        sources.push_back(std::move(of_layer));
        numbers[layers[i].text("name")] = i + 1;
    }
    return sources;
}

}  // namespace

std::vector<NetworkNode> network_graph(const std::vector<ConfigValue>& config) {
    const std::vector<Layer> layers = layers_in(config);
    const auto sources = sources_of(layers);
    std::vector<std::size_t> readers(layers.size() + 1, 0);
    for (const auto& of_layer : sources)
        for (const std::size_t source : of_layer) ++readers[source];
    std::vector<NetworkNode> nodes{{{"input"}, {}, 0}};
    std::vector<std::size_t> node_of{0};  // by value
    bool is_chain = true;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const std::size_t first = sources[i].front();
        is_chain = is_chain && sources[i] == std::vector<std::size_t>{i};
        // The input is a node of its own.
        const bool goes_on = sources[i].size() == 1 && first > 0 && readers[first] == 1;
        if (goes_on) {
            node_of.push_back(node_of[first]);
        } else {
            NetworkNode node;
            for (const std::size_t source : sources[i]) {
                node.sources.push_back(node_of[source]);
                node.depth = std::max(node.depth, nodes[node_of[source]].depth + 1);
            }
            node_of.push_back(nodes.size());
            nodes.push_back(std::move(node));
        }
        nodes[node_of.back()].lines.push_back(line_of(layers[i]));
    }
    if (is_chain) nodes.clear();
    return nodes;
}

}  // namespace lockstep::reports
