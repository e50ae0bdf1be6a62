#include "storage/weights/keras_archive.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/files/zip_archive.hpp"
#include "storage/weights/functional_model.hpp"
#include "storage/weights/hdf5.hpp"
#include "storage/weights/keras_names.hpp"

namespace lockstep::storage {
namespace {

using Json = nlohmann::ordered_json;

// The oldest Keras with this layout, and a day for the time it was saved.
constexpr const char* kKerasVersion = "3.0.0";
constexpr const char* kDateSaved = "2026-01-01@00:00:00";

// As Keras 3 itself writes it: keras.Functional is no name that it looks up.
constexpr const char* kFunctionalModule = "keras.src.models.functional";

constexpr std::string_view kInputClass = "InputLayer";

Json parse_json(const std::string& text, const std::string& what) {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded()) throw std::invalid_argument(what + " is no JSON");
    return value;
}

Json config_of(const KerasLayer& layer) {
    return parse_json(layer.config_json, "the config of " + layer.name);
}

// ---- model.weights.h5 --------------------------------------------------------------------------

// Returns how many arrays the layer has.
std::size_t write_layer(hid_t root, const std::string& place, const KerasLayer& layer,
                        const NamedArrays& weights) {
    std::vector<const NamedArray*> arrays;
    for (const NamedArray& array : weights) {
        if (array.layer == layer.name) arrays.push_back(&array);
    }
    if (arrays.empty()) return 0;
    const Hdf5Group variables = create_group(root, "layers/" + place + "/vars");
    write_attribute(variables.id(), "name", layer.name, TextEncoding::utf8);
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        write_floats(variables.id(), std::to_string(i), arrays[i]->shape, arrays[i]->values,
                     Hdf5Layout::contiguous);
    }
    return arrays.size();
}

// ---- config.json -------------------------------------------------------------------------------

Json serialized(const std::string& module, const Json& class_name, Json config) {
    return {{"module", module},
            {"class_name", class_name},
            {"config", std::move(config)},
            {"registered_name", nullptr}};
}

// Keras 3's words for what Keras 2 calls otherwise.
Json layer_json(const KerasLayer& layer) {
    Json config = config_of(layer);
    if (layer.class_name == kInputClass) {
        config["batch_shape"] = config.at("batch_input_shape");
        config.erase("batch_input_shape");
        config.erase("ragged");
    }
    if (layer.class_name == "BatchNormalization") config["axis"] = -1;
    return serialized("keras.layers", layer.class_name, std::move(config));
}

Json compile_config(const Json& training) {
    const Json& optimizer = training.at("optimizer_config");
    Json loss = training.at("loss");
    if (loss.is_object()) {
        loss = serialized("keras.losses", loss.at("class_name"), loss.at("config"));
    }
    return {{"optimizer",
             serialized("keras.optimizers", optimizer.at("class_name"), optimizer.at("config"))},
            {"loss", std::move(loss)},
            {"loss_weights", nullptr},
            {"metrics", training.at("metrics")},
            {"weighted_metrics", nullptr},
            {"run_eagerly", false},
            {"steps_per_execution", 1},
            {"jit_compile", false}};
}

Json model_json(const KerasModel& model) {
    const bool is_functional = model.is_functional();
    Json layers = Json::array();
    Json input_shape;  // null without an input layer: Keras then builds at the first call
    for (const KerasLayer& layer : model.layers) {
        layers.push_back(layer_json(layer));
        if (is_functional) add_keras3_inputs(model, layer, layers.back());
        if (layer.class_name == kInputClass) input_shape = config_of(layer).at("batch_input_shape");
    }
    Json config{{"name", model.name}, {"trainable", true}};
    if (!input_shape.is_null() && !is_functional) config["build_input_shape"] = input_shape;
    config["layers"] = std::move(layers);
    if (is_functional) add_ends(model, config);
    Json json = is_functional ? serialized(kFunctionalModule, "Functional", std::move(config))
                              : serialized("keras", "Sequential", std::move(config));
    if (is_functional) json["registered_name"] = "Functional";
    if (!input_shape.is_null() && !is_functional)
        json["build_config"] = {{"input_shape", input_shape}};
    if (!model.training_config_json.empty()) {
        json["compile_config"] =
            compile_config(parse_json(model.training_config_json, "the training"));
    }
    return json;
}

Bytes ascii_bytes(const Json& json) {
    const std::string text = json.dump(-1, ' ', true);
    const auto* start = reinterpret_cast<const std::byte*>(text.data());
    return {start, start + text.size()};
}

}  // namespace

Bytes keras_weights_bytes(const KerasModel& model, const NamedArrays& weights) {
    const Hdf5Image image;
    KerasPlaceNames places;
    std::size_t written = 0;
    for (const KerasLayer& layer : model.layers) {
        if (layer.class_name == kInputClass) continue;
        written += write_layer(image.root(), places.next(layer.class_name), layer, weights);
    }
    if (written != weights.size()) throw std::invalid_argument("an array is of no layer");
    create_group(image.root(), "vars");
    return image.bytes();
}

Bytes keras_archive_bytes(const KerasModel& model, const NamedArrays& weights,
                          const std::string& notes_json) {
    const Json metadata{{"keras_version", kKerasVersion},
                        {"date_saved", kDateSaved},
                        {"lockstep", parse_json(notes_json, "the note")}};
    const std::vector<ZipMember> members{{"metadata.json", ascii_bytes(metadata)},
                                         {"config.json", ascii_bytes(model_json(model))},
                                         {"model.weights.h5", keras_weights_bytes(model, weights)}};
    return zip_bytes(members);
}

}  // namespace lockstep::storage
