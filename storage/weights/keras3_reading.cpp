#include "storage/weights/keras3_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "storage/weights/keras_names.hpp"

namespace lockstep::storage {
namespace {

constexpr const char* kLayers = "layers";
constexpr const char* kVariables = "vars";

herr_t append_link(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

// In the order of their names.
std::vector<std::string> members_of(const Hdf5Source& source, hid_t group) {
    std::vector<std::string> names;
    hsize_t position = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &position, append_link, &names) < 0)
        source.refuse("the list of layers is damaged");
    return names;
}

std::string layer_name(const Hdf5Source& source, hid_t variables, const std::string& place) {
    return has_attribute(variables, "name") ? read_text_attribute(source, variables, "name")
                                            : place;
}

void append_layer(const Hdf5Source& source, hid_t layers, const std::string& place,
                  const std::string& name, NamedArrays& weights) {
    const Hdf5Group layer = open_group(source, layers, place);
    if (!has_member(layer.id(), kVariables)) return;
    const Hdf5Group variables = open_group(source, layer.id(), kVariables);
    const std::string called = name.empty() ? layer_name(source, variables.id(), place) : name;
    for (std::size_t i = 0; has_member(variables.id(), std::to_string(i)); ++i) {
        FloatArray array = read_floats(source, variables.id(), std::to_string(i));
        weights.push_back(
            {called, std::to_string(i), std::move(array.shape), std::move(array.values)});
    }
}

}  // namespace

bool has_keras3_layout(const Hdf5Source& source) { return has_member(source.root(), kLayers); }

NamedArrays read_keras3_weights(const Hdf5Source& source,
                                const std::vector<std::string>& class_names,
                                const std::vector<std::string>& layer_names) {
    const Hdf5Group layers = open_group(source, source.root(), kLayers);
    std::vector<std::string> found = members_of(source, layers.id());
    NamedArrays weights;
    KerasPlaceNames places;
    for (std::size_t i = 0; i < class_names.size(); ++i) {
        const std::string place = places.next(class_names[i]);
        if (std::erase(found, place) > 0)
            append_layer(source, layers.id(), place, layer_names.at(i), weights);
    }
    if (!found.empty())
        source.refuse(fmt::format("it has weights at layers/{}, and no such layer", found.front()));
    return weights;
}

PlacedArrays read_placed_weights(const Hdf5Source& source) {
    const Hdf5Group layers = open_group(source, source.root(), kLayers);
    PlacedArrays placed;
    for (const std::string& place : members_of(source, layers.id())) {
        append_layer(source, layers.id(), place, "", placed.arrays);
        placed.places.resize(placed.arrays.size(), place);
    }
    return placed;
}

}  // namespace lockstep::storage
