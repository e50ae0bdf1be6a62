#include "pipeline/experiment/layer_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "pipeline/settings/suggestion.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kLayers = "layers";

std::string text_at(const Value& layer, std::string_view key) {
    const Table* table = layer.as<Table>();
    const Value* value = table ? table->find(key) : nullptr;
    const auto* text = value ? value->as<std::string>() : nullptr;
    return text ? *text : std::string();
}

std::vector<std::string> names_of(const Array& layers) {
    std::vector<std::string> names;
    KerasNames automatic;
    for (const Value& layer : layers) {
        std::string own = text_at(layer, "name");
        names.push_back(own.empty() ? automatic.next(text_at(layer, "type")) : std::move(own));
    }
    return names;
}

}  // namespace

std::string KerasNames::next(std::string_view type) {
    const auto entry = counts_.try_emplace(std::string(type), 0).first;
    const int index = entry->second++;
    return index == 0 ? std::string(type) : fmt::format("{}_{}", type, index);
}

std::vector<std::string> with_layer_name(std::vector<std::string> key) {
    if (key.front() != kLayers || key.size() <= 3) return key;
    const std::string name = fmt::format("{}", fmt::join(key.begin() + 1, key.end() - 1, "."));
    return {std::string(kLayers), name, key.back()};
}

bool is_layer_setting(const std::vector<std::string>& key) {
    return key.size() == 3 && key[0] == kLayers && key[2] != "type" && key[2] != "name";
}

Array with_layer_settings(const Array& layers, const Table& by_name) {
    std::vector<Value> result(layers.begin(), layers.end());
    const std::vector<std::string> names = names_of(layers);
    for (std::size_t i = 0; i < result.size(); ++i) {
        const Value* given = by_name.find(names[i]);
        const Table* settings = given ? given->as<Table>() : nullptr;
        Table* layer = result[i].as<Table>();
        if (!settings || !layer) continue;
        for (const Entry& entry : settings->entries()) layer->set(entry.key, entry.value);
    }
    return Array(std::move(result));
}

const Value* find_layer_setting(const Array& layers, std::string_view layer, std::string_view key) {
    const std::vector<std::string> names = names_of(layers);
    const auto found = std::ranges::find(names, layer);
    if (found == names.end()) return nullptr;
    const Table* table = layers[static_cast<std::size_t>(found - names.begin())].as<Table>();
    return table ? table->find(key) : nullptr;
}

std::string missing_layer(const Table& settings, const std::vector<std::string>& key) {
    const Value* value = settings.find(kLayers);
    const Array* layers = value ? value->as<Array>() : nullptr;
    if (!layers || !is_layer_setting(key)) return {};
    const std::vector<std::string> names = names_of(*layers);
    if (std::ranges::find(names, key[1]) != names.end()) return {};
    const std::vector<std::string_view> known(names.begin(), names.end());
    std::string meant = did_you_mean(key[1], known);
    if (meant.empty()) meant = fmt::format("; its layers are {}", fmt::join(names, ", "));
    return fmt::format("there is no layer {}{}", quoted_text(key[1]), meant);
}

}  // namespace lockstep::pipeline
