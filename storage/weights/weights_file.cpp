#include "storage/weights/weights_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "storage/files/storage_error.hpp"
#include "storage/files/zip_reading.hpp"
#include "storage/weights/child_reading.hpp"
#include "storage/weights/functional_model.hpp"
#include "storage/weights/hdf5.hpp"
#include "storage/weights/keras3_reading.hpp"
#include "storage/weights/keras_archive_reading.hpp"

namespace lockstep::storage {
namespace {

using Json = nlohmann::ordered_json;

// What Keras' readers take for "written by Keras 2 on TensorFlow": kernels as they are named here.
constexpr const char* kKerasVersion = "2.15.0";
constexpr const char* kBackend = "tensorflow";

const std::string kWeightsGroup = "model_weights";
const std::string kTopLevelGroup = "top_level_model_weights";
const std::string kStateGroup = "lockstep";
const std::string kLayerNames = "layer_names";
const std::string kWeightNames = "weight_names";
const std::string kArrayGroups = "array_groups";
const std::string kFormat = "format";

Json parse_json(const std::string& text, std::string_view what) {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded()) {
        throw std::invalid_argument(fmt::format("the config of {} is no JSON", what));
    }
    return value;
}

// ASCII, so that Keras' readers of any age decode it.
std::string ascii_text(const Json& value) { return value.dump(-1, ' ', true); }

void require_plain_name(const std::string& name) {
    const bool is_plain = !name.empty() && name != "." && name != ".." &&
                          name.find('/') == std::string::npos &&
                          name.find('\0') == std::string::npos;
    if (!is_plain) throw std::invalid_argument("\"" + name + "\" cannot name an array or a layer");
}

// ---- writing -----------------------------------------------------------------------------------

// One layer's group: weight_names, and the arrays at <layer>/<name>:0, a path inside the group.
void write_layer(hid_t parent, const std::string& layer, const NamedArrays& weights) {
    const Hdf5Group group = create_group(parent, layer);
    std::vector<std::string> names;
    for (const NamedArray& array : weights) {
        if (array.layer != layer) continue;
        require_plain_name(array.name);
        names.push_back(layer + "/" + array.name + ":0");
    }
    write_attribute(group.id(), kWeightNames, std::span<const std::string>(names));
    std::size_t next = 0;
    for (const NamedArray& array : weights) {
        if (array.layer != layer) continue;
        write_floats(group.id(), names[next++], array.shape, array.values, Hdf5Layout::contiguous);
    }
}

// Every layer that Keras' model.layers would list: all but the input.
std::vector<std::string> layer_names_of(const KerasModel& model) {
    std::vector<std::string> names;
    for (const KerasLayer& layer : model.layers) {
        require_plain_name(layer.name);
        if (layer.class_name != "InputLayer") names.push_back(layer.name);
    }
    return names;
}

void write_weights(hid_t root, const KerasModel& model, const NamedArrays& weights) {
    const std::vector<std::string> names = layer_names_of(model);
    for (const NamedArray& array : weights) {
        if (std::find(names.begin(), names.end(), array.layer) == names.end()) {
            throw std::invalid_argument("the network has no layer " + array.layer);
        }
    }
    const Hdf5Group group = create_group(root, kWeightsGroup);
    write_attribute(group.id(), kLayerNames, std::span<const std::string>(names));
    write_attribute(group.id(), "backend", kBackend, TextEncoding::ascii);
    write_attribute(group.id(), "keras_version", kKerasVersion, TextEncoding::ascii);
    std::vector<std::string> sorted = names;  // as Keras makes the groups
    std::sort(sorted.begin(), sorted.end());
    for (const std::string& layer : sorted) write_layer(group.id(), layer, weights);
    const Hdf5Group top_level = create_group(group.id(), kTopLevelGroup);
    write_attribute(top_level.id(), kWeightNames, std::span<const std::string>());
}

void write_value(hid_t group, const std::string& name, const StateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        write_attribute(group, name, *text, TextEncoding::utf8);
    } else if (const auto* number = std::get_if<double>(&value)) {
        write_attribute(group, name, *number);
    } else {
        write_attribute(group, name, std::get<std::int64_t>(value));
    }
}

void write_arrays(hid_t parent, const std::string& path, const NamedArrays& arrays) {
    const Hdf5Group group = create_group(parent, path);
    std::vector<std::string> names;
    for (const NamedArray& array : arrays) {
        require_plain_name(array.layer);
        require_plain_name(array.name);
        names.push_back(array.layer + "/" + array.name);
    }
    write_attribute(group.id(), kWeightNames, std::span<const std::string>(names));
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        write_floats(group.id(), names[i], arrays[i].shape, arrays[i].values,
                     Hdf5Layout::checksummed);
    }
}

void write_state(hid_t root, const StateGroup& state) {
    const Hdf5Group group = create_group(root, kStateGroup);
    write_attribute(group.id(), kFormat, std::int64_t{kStateFormat});
    for (const auto& [name, value] : state.values) write_value(group.id(), name, value);
    std::vector<std::string> paths;
    for (const auto& [path, arrays] : state.arrays) paths.push_back(path);
    write_attribute(group.id(), kArrayGroups, std::span<const std::string>(paths));
    for (const auto& [path, arrays] : state.arrays) write_arrays(group.id(), path, arrays);
}

void write_model(hid_t root, const KerasModel& model, const NamedArrays& weights,
                 const std::optional<StateGroup>& state) {
    write_attribute(root, "keras_version", kKerasVersion, TextEncoding::ascii);
    write_attribute(root, "backend", kBackend, TextEncoding::ascii);
    write_attribute(root, "model_config", model_config_json(model), TextEncoding::ascii);
    if (!model.training_config_json.empty()) {
        const Json training = parse_json(model.training_config_json, "the training");
        write_attribute(root, "training_config", ascii_text(training), TextEncoding::ascii);
    }
    write_weights(root, model, weights);
    if (state) write_state(root, *state);
}

// Hard links, which are the only ones that readers follow.
void name_weights_at_root(hid_t root, const KerasModel& model) {
    std::vector<std::string> names = layer_names_of(model);
    write_attribute(root, kLayerNames, std::span<const std::string>(names));
    names.push_back(kTopLevelGroup);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        if (name == kWeightsGroup || name == kStateGroup) {
            throw std::invalid_argument("no layer may be named " + name);
        }
        link_member(root, kWeightsGroup + "/" + name, name);
    }
}

// ---- reading -----------------------------------------------------------------------------------

// "sequential/conv2d/kernel:0" -> "kernel"
std::string plain_name(const std::string& weight_name) {
    const std::string last = weight_name.substr(weight_name.rfind('/') + 1);
    return last.substr(0, last.rfind(':'));
}

NamedArray read_array(const Hdf5Source& source, hid_t group, const std::string& layer,
                      const std::string& path) {
    FloatArray array = read_floats(source, group, path);
    return {layer, plain_name(path), std::move(array.shape), std::move(array.values)};
}

NamedArrays read_layers(const Hdf5Source& source, hid_t group) {
    NamedArrays weights;
    for (const std::string& layer : read_texts_attribute(source, group, kLayerNames)) {
        const Hdf5Group of_layer = open_group(source, group, layer);
        // Some writers leave the list out where a layer has no weights.
        const bool has_list = has_attribute(of_layer.id(), kWeightNames) ||
                              has_attribute(of_layer.id(), kWeightNames + "0");
        if (!has_list) continue;
        for (const std::string& path : read_texts_attribute(source, of_layer.id(), kWeightNames)) {
            weights.push_back(read_array(source, of_layer.id(), layer, path));
        }
    }
    return weights;
}

void read_weights_of(const Hdf5Source& source, ModelFile& file) {
    if (has_member(source.root(), kWeightsGroup)) {
        file.weights = read_layers(source, open_group(source, source.root(), kWeightsGroup).id());
        return;
    }
    if (has_attribute(source.root(), kLayerNames) ||
        has_attribute(source.root(), kLayerNames + "0")) {
        file.weights = read_layers(source, source.root());
        return;
    }
    if (!has_keras3_layout(source)) {
        source.refuse(
            "no Keras weights file: neither model_weights nor layer_names nor layers in it");
    }
    PlacedArrays placed = read_placed_weights(source);
    file.weights = std::move(placed.arrays);
    file.places = std::move(placed.places);
}

StateValue read_value(const Hdf5Source& source, hid_t group, const std::string& name) {
    switch (attribute_kind(source, group, name)) {
        case AttributeKind::integer:
            return read_integer_attribute(source, group, name);
        case AttributeKind::real:
            return read_real_attribute(source, group, name);
        case AttributeKind::text:
            return read_text_attribute(source, group, name);
        default:
            source.refuse(fmt::format("attribute {} of /lockstep is of no known kind", name));
    }
}

NamedArrays read_arrays(const Hdf5Source& source, hid_t parent, const std::string& path) {
    const Hdf5Group group = open_group(source, parent, path);
    NamedArrays arrays;
    for (const std::string& name : read_texts_attribute(source, group.id(), kWeightNames)) {
        const std::string layer = name.substr(0, name.find('/'));
        arrays.push_back(read_array(source, group.id(), layer, name));
    }
    return arrays;
}

StateGroup read_state(const Hdf5Source& source) {
    const Hdf5Group group = open_group(source, source.root(), kStateGroup);
    const std::int64_t format = read_integer_attribute(source, group.id(), kFormat);
    if (format < 1 || format > kStateFormat) {
        source.refuse(fmt::format("its state has format {}, this Lockstep reads up to {}", format,
                                  kStateFormat));
    }
    StateGroup state;
    for (const std::string& name : attribute_names(source, group.id())) {
        if (name == kFormat || name.starts_with(kArrayGroups)) continue;
        state.values.emplace(name, read_value(source, group.id(), name));
    }
    for (const std::string& path : read_texts_attribute(source, group.id(), kArrayGroups)) {
        state.arrays.emplace(path, read_arrays(source, group.id(), path));
    }
    return state;
}

std::string text_or_nothing(const Hdf5Source& source, const std::string& name) {
    return has_attribute(source.root(), name) ? read_text_attribute(source, source.root(), name)
                                              : "";
}

}  // namespace

// For PlainWriter and PlainReader, which find them by their types.
template <typename Plain>
void fields(Plain& plain, StateGroup& state) {
    plain(state.values, state.arrays);
}
template <typename Plain>
void fields(Plain& plain, ModelFile& file) {
    plain(file.weights, file.model_config_json, file.training_config_json, file.state, file.places);
}

namespace {

ModelFile parse(std::span<const std::byte> bytes, std::string_view origin) {
    const Hdf5Source source(bytes, origin);
    ModelFile file;
    read_weights_of(source, file);
    file.model_config_json = text_or_nothing(source, "model_config");
    file.training_config_json = text_or_nothing(source, "training_config");
    if (has_member(source.root(), kStateGroup)) file.state = read_state(source);
    return file;
}

}  // namespace

std::string model_config_json(const KerasModel& model) {
    const bool is_functional = model.is_functional();
    Json layers = Json::array();
    for (const KerasLayer& layer : model.layers) {
        Json json{{"class_name", layer.class_name},
                  {"config", parse_json(layer.config_json, layer.name)}};
        if (is_functional) add_keras2_inputs(layer, json);
        layers.push_back(std::move(json));
    }
    Json config{{"name", model.name}, {"layers", std::move(layers)}};
    if (is_functional) add_ends(model, config);
    const Json json{{"class_name", is_functional ? "Functional" : "Sequential"},
                    {"config", std::move(config)}};
    return ascii_text(json);
}

bool KerasModel::is_functional() const {
    return std::ranges::any_of(layers,
                               [](const KerasLayer& layer) { return !layer.inputs.empty(); });
}

Bytes model_file_bytes(const KerasModel& model, const NamedArrays& weights,
                       const std::optional<StateGroup>& state) {
    const Hdf5Image image;
    write_model(image.root(), model, weights, state);
    return image.bytes();
}

Bytes portable_model_bytes(const KerasModel& model, const NamedArrays& weights,
                           const std::optional<StateGroup>& state) {
    const Hdf5Image image;
    write_model(image.root(), model, weights, state);
    name_weights_at_root(image.root(), model);
    return image.bytes();
}

SavedFile write_model_file(const std::filesystem::path& path, const KerasModel& model,
                           const NamedArrays& weights, const std::optional<StateGroup>& state,
                           const BeforeNaming& before_naming) {
    return replace_file(path, model_file_bytes(model, weights, state), before_naming);
}

ModelFile parse_model_file(std::span<const std::byte> bytes, std::string_view origin) {
    return value_read_in_child(origin, bytes.size(), [&] { return parse(bytes, origin); });
}

ModelFile read_model_file(const std::filesystem::path& path) {
    const Bytes bytes = read_file(path);
    return is_zip(bytes) ? parse_keras_archive(bytes, path.string())
                         : parse_model_file(bytes, path.string());
}

NamedArrays read_weights(const std::filesystem::path& path) {
    return read_model_file(path).weights;
}

}  // namespace lockstep::storage
