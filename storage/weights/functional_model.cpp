#include "storage/weights/functional_model.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace lockstep::storage {
namespace {

using Json = nlohmann::ordered_json;

// What a layer makes, as another's input.
Json keras_tensor(const KerasLayer& layer) {
    Json shape = Json::array({nullptr});
    for (const std::int64_t extent : layer.output_shape) shape.push_back(extent);
    return {{"class_name", "__keras_tensor__"},
            {"config",
             {{"shape", std::move(shape)},
              {"dtype", "float32"},
              {"keras_history", Json::array({layer.name, 0, 0})}}}};
}

const KerasLayer& layer_named(const KerasModel& model, const std::string& name) {
    for (const KerasLayer& layer : model.layers)
        if (layer.name == name) return layer;
    throw std::invalid_argument("a layer reads " + name + ", which is no layer");
}

}  // namespace

void add_keras2_inputs(const KerasLayer& layer, Json& json) {
    json["name"] = layer.name;
    Json inputs = Json::array();
    for (const std::string& input : layer.inputs)
        inputs.push_back(Json::array({input, 0, 0, Json::object()}));
    json["inbound_nodes"] = Json::array();
    if (!inputs.empty()) json["inbound_nodes"].push_back(std::move(inputs));
}

void add_keras3_inputs(const KerasModel& model, const KerasLayer& layer, Json& json) {
    json["name"] = layer.name;
    json["inbound_nodes"] = Json::array();
    if (layer.inputs.empty()) return;
    Json tensors = Json::array();
    for (const std::string& input : layer.inputs)
        tensors.push_back(keras_tensor(layer_named(model, input)));
    // Several inputs are one argument, a list.
    if (tensors.size() > 1) tensors = Json::array({std::move(tensors)});
    json["inbound_nodes"].push_back({{"args", std::move(tensors)}, {"kwargs", Json::object()}});
}

void add_ends(const KerasModel& model, Json& config) {
    const auto end = [](const KerasLayer& layer) {
        return Json::array({Json::array({layer.name, 0, 0})});
    };
    config["input_layers"] = end(model.layers.front());
    config["output_layers"] = end(model.layers.back());
}

}  // namespace lockstep::storage
