#include "storage/weights/keras_archive_reading.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "storage/files/storage_error.hpp"
#include "storage/files/zip_reading.hpp"
#include "storage/weights/child_reading.hpp"
#include "storage/weights/keras3_reading.hpp"
#include "storage/weights/shallow_json.hpp"

namespace lockstep::storage {
namespace {

using Json = nlohmann::ordered_json;

struct Layers {
    std::vector<std::string> class_names;
    std::vector<std::string> names;
};

// Of the network itself; what is nested in a layer has its weights there.
Layers layers_of(const Json& model, const std::string& origin) {
    Layers layers;
    try {
        for (const Json& layer : model.at("config").at("layers")) {
            layers.class_names.push_back(layer.at("class_name").get<std::string>());
            layers.names.push_back(layer.at("config").at("name").get<std::string>());
        }
    } catch (const Json::exception&) {
        throw StorageError(StorageError::Kind::bad_data,
                           fmt::format("{}: its config.json has no list of layers", origin));
    }
    return layers;
}

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What keras_archive_bytes() has put into metadata.json; nothing in archives of others.
std::optional<StateGroup> notes_of(std::span<const std::byte> archive, const std::string& origin) {
    const auto metadata = find_zip_member(archive, "metadata.json", origin);
    if (!metadata) return std::nullopt;
    const Json json = parse_shallow_json(text_of(*metadata));
    if (!json.is_object() || !json.contains("lockstep")) return std::nullopt;
    StateGroup notes;
    for (const auto& [key, value] : json.at("lockstep").items())
        if (value.is_string()) notes.values[key] = value.get<std::string>();
    return notes;
}

}  // namespace

ModelFile parse_keras_archive(std::span<const std::byte> archive, const std::string& origin) {
    const std::string text = text_of(zip_member(archive, "config.json", origin));
    const Json model = parse_shallow_json(text);
    if (model.is_discarded())
        throw StorageError(StorageError::Kind::bad_data,
                           fmt::format("{}: its config.json is no JSON", origin));
    ModelFile file;
    file.model_config_json = text;
    file.state = notes_of(archive, origin);
    if (const auto training = model.find("compile_config"); training != model.end())
        file.training_config_json = training->dump();
    const Layers layers = layers_of(model, origin);
    const Bytes weights = zip_member(archive, "model.weights.h5", origin);
    file.weights = value_read_in_child(origin, weights.size(), [&] {
        return read_keras3_weights(Hdf5Source(weights, origin), layers.class_names, layers.names);
    });
    return file;
}

}  // namespace lockstep::storage
