#pragma once

// Settings of layers by the layers' names, as `--set` and [sweep] give them:
// layers.conv2d_1.filters (docs/settings.md).

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// Keras' names of layers that have none of their own: the type, counted from the second one on.
class KerasNames {
public:
    std::string next(std::string_view type);

private:
    std::map<std::string, int, std::less<>> counts_;
};

// {layers, block1, conv, filters} -> {layers, "block1.conv", filters}: a layer's name may have
// dots. Other keys stay.
std::vector<std::string> with_layer_name(std::vector<std::string> key);

// Of what with_layer_name() gave: whether it is a layer's setting that may be set or swept. Types
// and names may not: other keys and other layers hang on them.
bool is_layer_setting(const std::vector<std::string>& key);

// The layers with `by_name`'s settings, { conv2d_1 = { filters = 64 } }, in place of their own.
// Names that no layer has are passed over.
Array with_layer_settings(const Array& layers, const Table& by_name);

// The value of a layer's setting; null if there is none.
const Value* find_layer_setting(const Array& layers, std::string_view layer, std::string_view key);

// `there is no layer "conv"; did you mean "conv2d"?` where a layer's setting means none of these
// settings' layers; empty where it means one, and where there is no list of layers.
std::string missing_layer(const Table& settings, const std::vector<std::string>& key);

}  // namespace lockstep::pipeline
