#include "pipeline/experiment/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "pipeline/experiment/inheritance.hpp"

namespace lockstep::pipeline {
namespace {

bool is_inherited_table(std::string_view key) {
    return std::find(kInheritedTables.begin(), kInheritedTables.end(), key) !=
           kInheritedTables.end();
}

void collect_axis(const Entry& entry, const std::string& prefix, std::vector<Axis>& axes,
                  Problems& problems) {
    const std::string dotted = prefix + entry.key;
    if (const Table* inner = entry.value.as<Table>()) {  // train.epochs = [...] without quotes
        for (const Entry& one : inner->entries()) collect_axis(one, dotted + '.', axes, problems);
        return;
    }
    std::vector<std::string> key = split_key(dotted);
    if (key.size() < 2 || !is_inherited_table(key[0])) {
        problems.add(entry.origin,
                     fmt::format("cannot sweep {}; a swept key begins with data., train., "
                                 "parallel. or checkpoint.",
                                 toml_string(dotted)));
    } else if (dotted == "train.seeds") {
        problems.add(entry.origin, "sweep \"train.seed\" or give seeds in [train]");
    } else if (const Array* values = entry.value.as<Array>(); values && !values->empty()) {
        axes.push_back({std::move(key), values, entry.origin});
    } else if (!entry.value.as<Unusable>()) {
        problems.add(entry.origin, fmt::format("{} must be a list of values to sweep, not {}",
                                               toml_string(dotted), described(entry.value)));
    }
}

bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

// The text with everything that no name may hold replaced by '_'.
std::string with_name_letters(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return !is_name_letter(c); }, '_');
    return text;
}

}  // namespace

std::vector<Axis> sweep_axes(const Table& file, Problems& problems) {
    std::vector<Axis> axes;
    const Value* sweep = file.find("sweep");
    if (!sweep) return axes;
    if (const Table* table = sweep->as<Table>()) {
        for (const Entry& entry : table->entries()) collect_axis(entry, "", axes, problems);
    } else {
        problems.add(sweep->origin, "sweep must be a table: [sweep]");
    }
    return axes;
}

std::string name_part(const Axis& axis, std::size_t index) {
    const Value& value = (*axis.values)[index];
    std::string text = fmt::format("{}", index + 1);  // of a list or a table without a name
    if (const auto* word = value.as<std::string>()) text = with_name_letters(*word);
    if (value.as<bool>() || value.as<std::int64_t>() || value.as<double>()) {
        text = with_name_letters(described(value));
    }
    if (const Table* table = value.as<Table>()) {
        const Value* name = table->find("name");
        if (name && name->as<std::string>()) text = with_name_letters(*name->as<std::string>());
    }
    return fmt::format("-{}{}", with_name_letters(axis.key.back()), text);
}

}  // namespace lockstep::pipeline
