#pragma once

// The `[sweep]` of an experiment file.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// The tables that runs inherit; only their keys may be swept.
inline constexpr std::array<std::string_view, 4> kInheritedTables{"data", "train", "parallel",
                                                                  "checkpoint"};

// A swept key and its values; the file's tree must outlive it.
struct Axis {
    std::vector<std::string> key;
    const Array* values;
    Origin origin;
};

// The axes in the order of the file. What cannot be swept is a problem, and no axis.
std::vector<Axis> sweep_axes(const Table& file, Problems& problems);

// What stands for a swept value in the run's name: "-batch_size32". Lists, and tables without a
// name, are numbered from 1.
std::string name_part(const Axis& axis, std::size_t index);

}  // namespace lockstep::pipeline
