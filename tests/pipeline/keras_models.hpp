#pragma once

// Models of Keras as JSON.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

namespace lockstep::tests {

//   config   without its braces
//   calls    "inbound_nodes", of a Functional model
inline std::string keras_layer(const std::string& class_name, const std::string& config,
                               const std::string& calls = "") {
    const std::string inbound = calls.empty() ? "" : R"(,"inbound_nodes":)" + calls;
    return fmt::format(R"({{"class_name":"{}","config":{{{}}}{}}})", class_name, config, inbound);
}

// What a layer makes, as Keras 3 names it.
inline std::string keras3_tensor(const std::string& layer) {
    return fmt::format(
        R"({{"class_name":"__keras_tensor__","config":{{"dtype":"float32","keras_history":["{}",0,0]}}}})",
        layer);
}

// One call in Keras 3's words: several inputs are one argument, a list.
inline std::string keras3_call(const std::vector<std::string>& inputs,
                               const std::string& kwargs = "{}") {
    std::vector<std::string> tensors;
    for (const std::string& input : inputs) tensors.push_back(keras3_tensor(input));
    const std::string list = fmt::format("{}", fmt::join(tensors, ","));
    return fmt::format(R"([{{"args":[{}],"kwargs":{}}}])",
                       inputs.size() > 1 ? "[" + list + "]" : list, kwargs);
}

inline std::string sequential(const std::vector<std::string>& layers) {
    return fmt::format(R"({{"class_name":"Sequential","config":{{"name":"net","layers":[{}]}}}})",
                       fmt::join(layers, ","));
}

// The input is "x".
inline std::string functional(const std::vector<std::string>& layers, const std::string& end) {
    return fmt::format(R"({{"class_name":"Functional","config":{{"name":"net","layers":[{}],)"
                       R"("input_layers":[["x",0,0]],"output_layers":[["{}",0,0]]}}}})",
                       fmt::join(layers, ","), end);
}

}  // namespace lockstep::tests
