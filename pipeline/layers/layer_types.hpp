#pragma once

// The types of layers by the words of experiment files.

#include <cstddef>
#include <span>
#include <string_view>

#include "pipeline/layers/layer_keys.hpp"
#include "pipeline/settings/keys.hpp"

namespace lockstep::pipeline {

inline constexpr std::size_t kMostLayers = 1000;  // of a network

struct LayerType {
    // conv2d, max_pooling2d, ...: also the stem of Keras' automatic names of layers, and Keras'
    // class name in snake case.
    std::string_view word;
    LayerKind kind;  // with all defaults
};

std::span<const LayerType> layer_types();
const LayerType& type_of(const LayerKind& kind);

// What a layer ends in; linear where it has no activation.
trainer::Activation activation_of(const LayerKind& kind);

// What Keras' files, or ours, give another meaning.
bool is_reserved_layer_name(std::string_view name);

// The keys of a type's table, those of every layer (`type`, `name`, `inputs`, ...) among them.
const KeyList& keys_of(const LayerType& type);
// The keys of all tables of an experiment file, those of layers among them.
std::span<const KeyList> all_keys();

}  // namespace lockstep::pipeline
