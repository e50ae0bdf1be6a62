#include "pipeline/keras/keras_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "pipeline/keras/keras_words.hpp"
#include "storage/weights/keras_names.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// [name, 0, 0] in Keras 3, [name, 0, 0, {settings of the call}] in Keras 2.
bool is_history(const Json& json) {
    return json.is_array() && json.size() >= 3 && json[0].is_string() &&
           json[1].is_number_integer() && json[2].is_number_integer();
}

// {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
const Json* history_of(const Json& json) {
    if (is_history(json)) return &json;
    if (!json.is_object() || json.value("class_name", "") != "__keras_tensor__") return nullptr;
    const Json& history = json.at("config").at("keras_history");
    return is_history(history) ? &history : nullptr;
}

// The tensors of an argument: one, or lists of them; false where it holds anything else.
bool collect_tensors(const Json& argument, std::vector<const Json*>& histories) {
    if (const Json* history = history_of(argument)) {
        histories.push_back(history);
        return true;
    }
    return argument.is_array() && std::ranges::all_of(argument, [&](const Json& item) {
               return collect_tensors(item, histories);
           });
}

class CallReader {
public:
    explicit CallReader(KerasNode& node) : node_(node) {}

    // {"args": [...], "kwargs": {...}} in Keras 3, a list of tensors in Keras 2.
    void read(const Json& call) {
        if (!call.is_object()) return argument("inputs", call);
        for (const Json& each : call.at("args")) argument("an argument", each);
        settings(call.value("kwargs", Json::object()));
    }

private:
    void settings(const Json& by_name) {
        for (const auto& [name, value] : by_name.items()) argument(name, value);
    }

    void argument(const std::string& name, const Json& value) {
        std::vector<const Json*> histories;
        if (collect_tensors(value, histories))
            for (const Json* history : histories) input(*history);
        else if (!is_without_meaning(value))
            problem(fmt::format("it is called with {} = {}", name, text_in_message(value)));
    }

    void input(const Json& history) {
        node_.inputs.push_back(history[0].get<std::string>());
        if (history.size() > 3 && history[3].is_object()) settings(history[3]);
    }

    // training = false is what a dropout is without it, and Keras 3.0 wrote it; a normalization
    // that is trained takes its batch's statistics without it.
    bool is_without_meaning(const Json& value) const {
        if (value.is_null()) return true;
        const bool is_frozen = node_.config.value("trainable", true) == false;
        return value == false && (node_.class_name != "BatchNormalization" || is_frozen);
    }

    // Keras 2 says the settings of a call with each of its inputs.
    void problem(std::string line) {
        if (std::ranges::find(node_.problems, line) == node_.problems.end())
            node_.problems.push_back(std::move(line));
    }

    KerasNode& node_;
};

}  // namespace

KerasNode keras_node(const Json& layer) {
    KerasNode node;
    node.class_name = layer.at("class_name").get<std::string>();
    node.config = layer.value("config", Json::object());
    node.name =
        node.config.value("name", layer.value("name", storage::snake_case(node.class_name)));
    const Json calls = layer.value("inbound_nodes", Json::array());
    node.calls = calls.size();
    for (const Json& call : calls) CallReader(node).read(call);
    return node;
}

std::vector<std::string> layers_named_in(const Json& tensors) {
    std::vector<std::string> names;
    if (const Json* history = history_of(tensors))
        names.push_back((*history)[0].get<std::string>());
    else if (tensors.is_structured())
        for (const Json& item : tensors)
            for (std::string& name : layers_named_in(item)) names.push_back(std::move(name));
    return names;
}

}  // namespace lockstep::pipeline
