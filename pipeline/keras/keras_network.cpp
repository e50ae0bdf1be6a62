#include "pipeline/keras/keras_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/keras_layer_reader.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "storage/weights/keras_names.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostPixels = 65'535;

struct Node {
    std::string name;
    std::string class_name;
    Json config;
    std::vector<std::string> inputs;
    std::size_t calls = 1;  // how often the layer is used
};

// The names in front of a layer, wherever they stand in its arguments: [name, 0, 0, {}] in Keras 2,
// {"keras_history": [name, 0, 0]} in Keras 3.
void collect_inputs(const Json& json, std::vector<std::string>& names) {
    if (json.is_array()) {
        const bool is_reference = json.size() >= 3 && json[0].is_string() &&
                                  json[1].is_number_integer() && json[2].is_number_integer();
        if (is_reference) return names.push_back(json[0].get<std::string>());
        for (const Json& item : json) collect_inputs(item, names);
    } else if (json.is_object()) {
        for (const auto& [key, value] : json.items()) collect_inputs(value, names);
    }
}

Node node_of(const Json& json) {
    Node node;
    node.class_name = json.at("class_name").get<std::string>();
    node.config = json.value("config", Json::object());
    node.name = node.config.value("name", json.value("name", storage::snake_case(node.class_name)));
    const Json calls = json.value("inbound_nodes", Json::array());
    node.calls = calls.size();
    collect_inputs(calls, node.inputs);
    return node;
}

bool is_input(const Node& node) { return node.class_name == "InputLayer"; }

// [null, height, width, channels], or [null, values].
std::optional<trainer::Shape> image_shape(const Json& batch_shape) {
    if (!batch_shape.is_array()) return std::nullopt;
    std::vector<int> sizes;
    for (std::size_t i = 1; i < batch_shape.size(); ++i) {
        const Json& size = batch_shape[i];
        if (!size.is_number_integer() || size.get<std::int64_t>() < 1 ||
            size.get<std::int64_t>() > kMostPixels)
            return std::nullopt;
        sizes.push_back(size.get<int>());
    }
    if (sizes.size() != 3) return std::nullopt;
    return trainer::Shape{sizes[0], sizes[1], sizes[2], false};
}

class NetworkReader {
public:
    explicit NetworkReader(std::string_view origin) : origin_(origin) {}

    KerasNetwork read(const std::string& text) {
        const Json model = Json::parse(text, nullptr, false);
        try {
            read_model(model);
        } catch (const Json::exception&) {
            fail(
                "is no model of Keras: model.to_json() has a class_name, and a config with layers");
        }
        if (!problems_.empty())
            fail(fmt::format("has what Lockstep has no word for:\n  {}",
                             fmt::join(problems_, "\n  ")));
        return std::move(network_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Failure(kExitBadData, fmt::format("{} {}", origin_, what));
    }

    void read_model(const Json& model) {
        const std::string class_name = model.at("class_name").get<std::string>();
        // Keras 1 and 2.0 keep a Sequential's layers without a table around them.
        const Json& config = model.at("config");
        const Json& layers = config.is_array() ? config : config.at("layers");
        network_.name = config.is_object() ? config.value("name", "model") : "sequential";
        for (const Json& layer : layers) nodes_.push_back(node_of(layer));
        if (class_name == "Sequential")
            chain(config);
        else if (class_name == "Functional" || class_name == "Model")
            connect(config);
        else
            fail(fmt::format("is a {}, neither a Sequential nor a Functional model", class_name));
        convert();
    }

    void chain(const Json& config) {
        Json shape;
        if (config.is_object()) shape = config.value("build_input_shape", Json());
        if (!nodes_.empty()) {
            const Json& first = nodes_.front().config;
            shape = first.value("batch_shape", first.value("batch_input_shape", shape));
        }
        std::erase_if(nodes_, is_input);
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            nodes_[i].inputs = {i == 0 ? std::string() : nodes_[i - 1].name};
        take_shape(shape);
    }

    void connect(const Json& config) {
        std::vector<std::string> ends;
        collect_inputs(config.value("output_layers", Json::array()), ends);
        const auto inputs = std::ranges::count_if(nodes_, is_input);
        if (inputs != 1 || ends.size() != 1)
            return problems_.push_back(
                fmt::format("the model: it has {} inputs and {} outputs, not one of each", inputs,
                            ends.size()));
        const auto input = std::ranges::find_if(nodes_, is_input);
        input_name_ = input->name;
        take_shape(
            input->config.value("batch_shape", input->config.value("batch_input_shape", Json())));
        nodes_ = in_order(ends.front());
    }

    void take_shape(const Json& shape) {
        const auto image = image_shape(shape);
        if (!image)
            return problems_.push_back(fmt::format(
                "the input: its shape is {}, not that of images [height, width, channels]",
                shape.is_null() ? "not told" : shape.dump()));
        network_.input = *image;
    }

    // Those that the end needs, each behind what it reads; else as the file has them.
    std::vector<Node> in_order(const std::string& end) const {
        std::vector<Node> ordered;
        std::set<std::string> placed;
        const std::function<void(const std::string&)> place = [&](const std::string& name) {
            if (!placed.insert(name).second) return;
            const auto node = std::ranges::find(nodes_, name, &Node::name);
            if (node == nodes_.end())
                fail(fmt::format("names a layer \"{}\" that it has not", name));
            for (const std::string& input : node->inputs) place(input);
            if (!is_input(*node)) ordered.push_back(*node);
        };
        place(end);
        return ordered;
    }

    void convert() {
        std::map<std::string, trainer::ValueNumber> numbers{{input_name_, 0}, {"", 0}};
        bool is_chain = true;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const Node& node = nodes_[i];
            std::vector<std::string> unknown;
            if (node.calls > 1) unknown.push_back("it is used more than once");
            const auto kind = read_keras_layer(node.class_name, node.config, unknown);
            if (!kind) unknown.push_back("there is no such layer here");
            if (!unknown.empty())
                problems_.push_back(fmt::format("layer {} ({}): {}", node.name, node.class_name,
                                                fmt::join(unknown, "; ")));
            trainer::LayerConfig layer;
            layer.name = name_of(node.name);
            if (kind) layer.kind = *kind;
            layer.trainable = node.config.value("trainable", true);
            for (const std::string& input : node.inputs) {
                const auto number = numbers.find(input);  // none where the graph has a circle
                if (number != numbers.end()) layer.sources.push_back(number->second);
            }
            is_chain = is_chain && layer.sources == std::vector<trainer::ValueNumber>{i};
            numbers[node.name] = i + 1;
            network_.layers.push_back(std::move(layer));
        }
        if (is_chain)
            for (trainer::LayerConfig& layer : network_.layers) layer.sources.clear();
    }

    // Keras allows more letters, and names that mean something else here.
    std::string name_of(const std::string& keras_name) {
        std::string name = keras_name;
        for (char& letter : name)
            if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_' &&
                letter != '-' && letter != '.')
                letter = '_';
        constexpr std::size_t kLongest = 60;
        if (name.size() > kLongest) name.resize(kLongest);
        const bool is_unfit = name.empty() || name.front() == '.' || name.front() == '-';
        if (is_unfit || is_reserved_layer_name(name)) name = "layer_" + name;
        const std::string stem = name;
        for (int i = 1; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", stem, i);
        if (name != keras_name) network_.renamed[keras_name] = name;
        return name;
    }

    std::string origin_;
    KerasNetwork network_;
    std::vector<Node> nodes_;
    std::string input_name_;
    std::set<std::string> names_;
    std::vector<std::string> problems_;
};

}  // namespace

KerasNetwork read_keras_network(const std::string& model_json, std::string_view origin) {
    return NetworkReader(origin).read(model_json);
}

}  // namespace lockstep::pipeline
