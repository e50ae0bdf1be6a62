#include "pipeline/recording/matched_arrays.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

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

}  // namespace

storage::NamedArrays matched_by_name(storage::NamedArrays arrays,
                                     const trainer::Architecture& architecture) {
    if (names_of(arrays) != names_of(architecture)) return arrays;
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

}  // namespace lockstep::pipeline
