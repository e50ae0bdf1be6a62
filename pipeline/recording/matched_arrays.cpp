#include "pipeline/recording/matched_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/weights/keras_names.hpp"
#include "trainer/config/errors.hpp"

namespace lockstep::pipeline {
namespace {

using ByLayer = std::map<std::string, storage::NamedArrays>;

ByLayer by_layer(storage::NamedArrays arrays) {
    ByLayer layers;
    for (storage::NamedArray& array : arrays) layers[array.layer].push_back(std::move(array));
    return layers;
}

std::set<std::string> names_of(const storage::NamedArrays& arrays) {
    std::set<std::string> names;
    for (const storage::NamedArray& array : arrays) names.insert(array.layer);
    return names;
}

std::set<std::string> names_of(const trainer::Architecture& architecture) {
    std::set<std::string> names;
    for (const trainer::LayerShape& layer : architecture.layers)
        if (!layer.parameters.empty()) names.insert(layer.name);
    return names;
}

// In the order of the layer's tensors where all are there by name.
void sort_by_name(storage::NamedArrays& arrays, const trainer::LayerShape& layer) {
    storage::NamedArrays sorted;
    for (const trainer::ParameterShape& parameter : layer.parameters) {
        const auto array = std::ranges::find(arrays, parameter.name, &storage::NamedArray::name);
        if (array == arrays.end()) return;
        sorted.push_back(*array);
    }
    if (sorted.size() == arrays.size()) arrays = std::move(sorted);
}

storage::NamedArrays matched_by_name(storage::NamedArrays arrays,
                                     const trainer::Architecture& architecture) {
    ByLayer layers = by_layer(std::move(arrays));
    storage::NamedArrays matched;
    for (const trainer::LayerShape& layer : architecture.layers) {
        const auto found = layers.find(layer.name);
        if (found == layers.end()) continue;
        sort_by_name(found->second, layer);
        for (storage::NamedArray& array : found->second) matched.push_back(std::move(array));
    }
    return matched;
}

ByLayer by_place(storage::NamedArrays arrays, const std::vector<std::string>& places) {
    ByLayer layers;
    for (std::size_t i = 0; i < arrays.size(); ++i)
        layers[places.at(i)].push_back(std::move(arrays[i]));
    return layers;
}

// Each layer's arrays as they stand, which is in Keras' order.
storage::NamedArrays matched_by_place(ByLayer layers, const trainer::Architecture& architecture,
                                      const std::string& origin) {
    storage::NamedArrays matched;
    storage::KerasPlaceNames names;
    for (const trainer::LayerShape& layer : architecture.layers) {
        const std::string place = names.next(layer.class_name);
        if (layer.parameters.empty()) continue;
        auto found = layers.extract(place);
        if (found.empty())
            throw trainer::WeightsError(
                fmt::format("{} is of another network: it has nothing at layers/{}, where Keras "
                            "keeps the weights of layer \"{}\"",
                            origin, place, layer.name));
        std::ranges::move(found.mapped(), std::back_inserter(matched));
    }
    if (!layers.empty())
        throw trainer::WeightsError(
            fmt::format("{} is of another network: it has weights at layers/{}, and no layer of "
                        "the network stands there",
                        origin, layers.begin()->first));
    return matched;
}

}  // namespace

storage::NamedArrays matched_arrays(storage::NamedArrays arrays,
                                    const std::vector<std::string>& places,
                                    const trainer::Architecture& architecture,
                                    const std::string& origin) {
    if (names_of(arrays) == names_of(architecture))
        return matched_by_name(std::move(arrays), architecture);
    if (places.empty()) return arrays;
    return matched_by_place(by_place(std::move(arrays), places), architecture, origin);
}

}  // namespace lockstep::pipeline
