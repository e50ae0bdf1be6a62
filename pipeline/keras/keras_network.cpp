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
#include "pipeline/keras/keras_node.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "storage/weights/shallow_json.hpp"
#include "trainer/config/layer_shapes.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostPixels = 65'535;

bool is_input(const KerasNode& node) { return node.class_name == "InputLayer"; }

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
        const Json model = storage::parse_shallow_json(text);
        try {
            read_model(model);
        } catch (const Json::exception&) {
            fail(
                "is no model of Keras: model.to_json() has a class_name, and a config with layers");
        }
        refuse_problems();
        infer();
        refuse_problems();
        return std::move(network_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Failure(kExitBadData, fmt::format("{} {}", origin_, what));
    }

    void refuse_problems() const {
        if (!problems_.empty())
            fail(fmt::format("has what Lockstep has no word for:\n  {}",
                             fmt::join(problems_, "\n  ")));
    }

    void read_model(const Json& model) {
        const std::string class_name = model.at("class_name").get<std::string>();
        // Keras 1 and 2.0 keep a Sequential's layers without a table around them.
        const Json& config = model.at("config");
        const Json& layers = config.is_array() ? config : config.at("layers");
        network_.name = config.is_object() ? config.value("name", "model") : "sequential";
        if (layers.size() > kMostLayers)
            fail(fmt::format("has {} layers; at most {} are read", layers.size(), kMostLayers));
        for (const Json& layer : layers) nodes_.push_back(keras_node(layer));
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
        const std::vector<std::string> ends =
            layers_named_in(config.value("output_layers", Json::array()));
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
    std::vector<KerasNode> in_order(const std::string& end) const {
        std::vector<KerasNode> ordered;
        std::set<std::string> placed;
        const std::function<void(const std::string&)> place = [&](const std::string& name) {
            if (!placed.insert(name).second) return;
            const auto node = std::ranges::find(nodes_, name, &KerasNode::name);
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
            KerasNode& node = nodes_[i];
            trainer::LayerConfig layer;
            layer.name = name_of(node.name);
            if (node.calls > 1) node.problems.emplace_back("it is used more than once");
            if (node.inputs.empty()) node.problems.emplace_back("it reads nothing");
            for (const std::string& input : node.inputs) {
                const auto number = numbers.find(input);
                if (number != numbers.end())
                    layer.sources.push_back(number->second);
                else  // all that it reads stand in front, but in a circle
                    node.problems.push_back(fmt::format("it reads {}, which reads it", input));
            }
            const auto kind = read_keras_layer(node.class_name, node.config, node.problems);
            if (!kind) node.problems.emplace_back("there is no such layer here");
            if (!node.problems.empty())
                add_problem(node, fmt::format("{}", fmt::join(node.problems, "; ")));
            if (kind) layer.kind = *kind;
            layer.trainable = node.config.value("trainable", true);
            is_chain = is_chain && layer.sources == std::vector<trainer::ValueNumber>{i};
            numbers[node.name] = i + 1;
            network_.layers.push_back(std::move(layer));
        }
        if (is_chain)
            for (trainer::LayerConfig& layer : network_.layers) layer.sources.clear();
    }

    void add_problem(const KerasNode& node, const std::string& problem) {
        problems_.push_back(fmt::format("layer {} ({}): {}", node.name, node.class_name, problem));
    }

    // The shapes, and what can be told of them alone: which axis is that of the channels.
    void infer() {
        try {
            network_.architecture = trainer::infer_layers(network_.layers, network_.input);
        } catch (const trainer::ShapeError& error) {
            throw Failure(kExitBadData, fmt::format("{}: {}", origin_, error.what()));
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const trainer::Shape& input = network_.architecture.layers[i].input;
            const int last = input.is_flat ? 1 : 3;
            const int axis = keras_axis(nodes_[i].config).value_or(-1);
            if (axis != -1 && axis != last)
                add_problem(nodes_[i], fmt::format("axis = {}: of what it reads, {}, the channels "
                                                   "are axis {}",
                                                   axis, trainer::to_string(input), last));
        }
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
    std::vector<KerasNode> nodes_;
    std::string input_name_;
    std::set<std::string> names_;
    std::vector<std::string> problems_;
};

}  // namespace

KerasNetwork read_keras_network(const std::string& model_json, std::string_view origin) {
    return NetworkReader(origin).read(model_json);
}

}  // namespace lockstep::pipeline
