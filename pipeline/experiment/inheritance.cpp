#include "pipeline/experiment/inheritance.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "pipeline/experiment/layer_settings.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::array<std::string_view, 7> kInheritedByKey{"data",
                                                          "train",
                                                          "parallel",
                                                          "checkpoint",
                                                          "train.optimizer",
                                                          "train.schedule",
                                                          "train.early_stopping"};

bool is_inherited_by_key(std::string_view path) {
    return std::find(kInheritedByKey.begin(), kInheritedByKey.end(), path) != kInheritedByKey.end();
}

bool has_name(std::string_view path) {
    return path == "train.optimizer" || path == "train.schedule";
}

// "adam" as { name = "adam" }.
Value as_named_table(const std::string& path, const Value& value) {
    if (!has_name(path) || !value.as<std::string>()) return value;
    return {value.origin, nested_table({"name"}, value)};
}

std::string name_in(const std::string& path, const Table& table) {
    const Value* name = table.find("name");
    const auto* text = name ? name->as<std::string>() : nullptr;
    if (text) return *text;
    return path == "train.optimizer" ? "adam" : "constant";  // the defaults
}

bool is_replaced(const std::string& path, const Table& base, const Table& overlay) {
    return has_name(path) && overlay.find("name") && name_in(path, base) != name_in(path, overlay);
}

// Takes out of `base` what the new value of `path` makes meaningless.
void drop_contradicted(Table& base, const std::string& path) {
    if (path == "train.seed") base.erase("seeds");
    if (path == "train.seeds") base.erase("seed");
    if (path == "train.early_stopping.monitor" || path == "train.schedule.monitor" ||
        path == "checkpoint.monitor")
        base.erase("mode");
}

// Whether there is a list of layers.
bool lay_over_layers(Table& base, const Table& by_name) {
    Value* below = base.find("layers");
    const Array* layers = below ? below->as<Array>() : nullptr;
    if (!layers) return false;
    below->content = with_layer_settings(*layers, by_name);
    return true;
}

void lay_over(Table& base, const Table& overlay, const std::string& prefix) {
    for (const Entry& entry : overlay.entries()) drop_contradicted(base, prefix + entry.key);
    for (const Entry& entry : overlay.entries()) {
        const std::string path = prefix + entry.key;
        Value value = as_named_table(path, entry.value);
        const Table* above = value.as<Table>();
        if (above && path == "layers" && lay_over_layers(base, *above)) continue;
        if (!above || !is_inherited_by_key(path)) {
            base.set(entry.key, std::move(value));
            continue;
        }
        const Value* below = base.find(entry.key);
        const Table* inherited = below ? below->as<Table>() : nullptr;
        Table merged;
        if (inherited && !is_replaced(path, *inherited, *above)) merged = *inherited;
        lay_over(merged, *above, path + ".");
        base.set(entry.key, {value.origin, std::move(merged)});
    }
}

}  // namespace

void lay_over(Table& base, const Table& overlay) { lay_over(base, overlay, ""); }

Table nested_table(const std::vector<std::string>& key, Value value) {
    for (std::size_t i = key.size(); i-- > 0;) {
        const Origin origin = value.origin;
        Table table;
        table.set(key[i], std::move(value));
        if (i == 0) return table;
        value = {origin, std::move(table)};
    }
    return {};
}

std::vector<std::string> split_key(const std::string& dotted) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t dot = dotted.find('.'); dot != std::string::npos;
         dot = dotted.find('.', begin)) {
        parts.push_back(dotted.substr(begin, dot - begin));
        begin = dot + 1;
    }
    parts.push_back(dotted.substr(begin));
    return parts;
}

}  // namespace lockstep::pipeline
