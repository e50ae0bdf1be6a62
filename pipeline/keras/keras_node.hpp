#pragma once

// A layer in the JSON of a model of Keras 2 or 3, and its call.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lockstep::pipeline {

struct KerasNode {
    std::string name;
    std::string class_name;
    nlohmann::ordered_json config;
    std::vector<std::string> inputs{};  // the layers in front, by name
    std::size_t calls = 1;              // how often the layer is used
    // What its call says beyond its inputs, a line each: training = true.
    std::vector<std::string> problems{};
};

// Throws Json::exception where that is no layer.
KerasNode keras_node(const nlohmann::ordered_json& layer);

// The layers that a list of tensors names: [name, 0, 0], or lists of them.
std::vector<std::string> layers_named_in(const nlohmann::ordered_json& tensors);

}  // namespace lockstep::pipeline
