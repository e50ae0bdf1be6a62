#pragma once

// One table of settings laid over another, key by key.

#include <string>
#include <vector>

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// Lays the settings of a run (`overlay`) over those it inherits (`base`). Keys of `overlay` win;
// the others stay. Beyond that:
//   - an optimizer or schedule of another name replaces the inherited one as a whole, as their
//     other keys mean nothing to it; `optimizer = "sgd"` is { name = "sgd" }
//   - another monitor drops an inherited `mode`
//   - `seed` drops inherited `seeds`, and the other way round
//   - layers, validation and expect are replaced as a whole; a table in place of the list of layers
//     sets some of theirs (layer_settings.hpp)
void lay_over(Table& base, const Table& overlay);

// { a = { b = { c = value } } } for the key {a, b, c}, which must not be empty.
Table nested_table(const std::vector<std::string>& key, Value value);

// "train.batch_size" -> {train, batch_size}.
std::vector<std::string> split_key(const std::string& dotted);

}  // namespace lockstep::pipeline
