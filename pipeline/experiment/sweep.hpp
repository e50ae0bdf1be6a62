#pragma once

// The `[sweep]` of an experiment file.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// The tables that runs inherit; their keys may be swept, and those of layers.
inline constexpr std::array<std::string_view, 4> kInheritedTables{"data", "train", "parallel",
                                                                  "checkpoint"};

// A swept key and its values.
struct Axis {
    std::vector<std::string> key;
    Array values;  // not empty
    // What stands for each of them in a run's name: "32" of 32, "sgd" of { name = "sgd" }. Lists,
    // and tables without a name, are numbered from 1.
    std::vector<std::string> value_words;
    Origin origin;
};

// The axes in the order of the file. What cannot be swept is a problem, and no axis.
std::vector<Axis> sweep_axes(const Table& file, Problems& problems);

// What stands for each axis in a run's name: the last word of its key, with as many before it as
// tell it from the others and, where runs are called by their seed too, from "seed".
std::vector<std::string> axis_words(const std::vector<const Axis*>& axes, bool has_seed_words);

// One value of an axis.
struct SweptValue {
    const Axis* axis;
    std::size_t index;  // in axis->values
    Value value() const;
};

// Lays the values over `settings`, outer keys before inner ones and names before what they select,
// whatever the order of the file: `train.optimizer` would take away a `train.optimizer.momentum`
// that is already there.
void lay_over(Table& settings, const std::vector<SweptValue>& values);

// Whether a swept value is still what stands in the settings, or has been replaced since.
bool stands_in(const Table& settings, const SweptValue& swept);

}  // namespace lockstep::pipeline
